"""Where the pinned emulator is known to be wrong, made right inside its own process, and nothing more.

Each correction stands for something that AWS does. Its test shows the emulator without it, wrong, and with it, right;
so a newer emulator that has learnt the point makes the test fail, and the correction goes.

The functions replaced here are ministack's own and looked up by it at each call. A name that a newer version no longer
has is an AttributeError as the emulator starts.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import contextvars
import dataclasses
import importlib
import json
import os
from typing import Any, Final

from rehearsal.emulator import (
    api_keys,
    cloud_map,
    container_instances,
    databases,
    denials,
    draining,
    event_targets,
    listeners,
    permissions,
    private_integrations,
    rollouts,
    secrets_manager,
    state_machines,
    target_health,
    target_roles,
    task_networks,
    task_states,
)
from rehearsal.emulator.access import ON_BEHALF_OF, SOURCE_ARN

# Untyped on purpose: none of it is an interface. Services not named here are loaded by the emulator when first used.
app: Any = importlib.import_module("ministack.app")
iam_actions: Any = importlib.import_module("ministack.core.iam_actions")
iam_evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
lambda_runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
apigateway_v1: Any = importlib.import_module("ministack.services.apigateway_v1")
sts: Any = importlib.import_module("ministack.services.sts")

_API_GATEWAY: Final = "apigateway.amazonaws.com"
_LAMBDA: Final = "lambda.amazonaws.com"
_TAGGING: Final = ("logs:TagResource", "logs:UntagResource", "logs:ListTagsForResource")

_on_behalf: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("on_behalf", default=("", ""))
"""The service that the request in hand is made for, and the ARN of what it makes it for."""


def apply() -> None:
    """Correct everything. Called once, before the emulator serves."""
    _know_root_by_its_key()
    denials.record_refusals()
    _let_services_assume_roles()
    _let_functions_assume_their_role()
    _show_private_apis_their_endpoint()
    _ask_functions_for_permission()
    _name_log_streams()
    permissions.name_parameters()
    _leave_balancers_their_paths()
    listeners.answer_where_it_listens()
    private_integrations.keep_integration_targets()
    private_integrations.pass_on_through_the_link()
    container_instances.place_on_instances()
    container_instances.lead_to_host_ports()
    databases.leave_servers_to_others()
    api_keys.close_to_a_disabled_key()
    target_health.probe_targets()
    permissions.take_loopback_for_tls()
    permissions.hold_tasks_to_their_definition()
    permissions.hold_services_to_their_arn()
    task_states.tell_of_tasks()
    task_states.keep_exit_codes()
    draining.route_to_the_healthy()
    draining.drain_before_stopping()
    rollouts.complete_when_healthy()
    rollouts.fail_at_an_alarm()
    rollouts.tell_of_deployments()
    task_networks.share_the_hosts_network()
    state_machines.act_under_the_role()
    state_machines.ask_for_the_managed_rule()
    event_targets.ask_targets_of_events()
    event_targets.read_lists_in_events()
    event_targets.miss_a_field_in_no_element()
    event_targets.fire_under_the_role()
    target_roles.start_under_the_targets_role()
    secrets_manager.generate_as_asked()
    secrets_manager.tell_of_rotations()
    cloud_map.register_tasks()
    cloud_map.find_the_healthy()
    cloud_map.name_what_is_discovered()


def _know_root_by_its_key() -> None:
    """Take for root only who holds the root's key, and not everybody who says ``test`` or any account's number.

    The emulator checks no signature of such callers, so a workload with those keys would be stopped by nothing.
    """

    def is_root(key: str) -> bool:
        return not key or key == os.environ["AWS_ACCESS_KEY_ID"]

    iam_evaluator.is_root_access_key = is_root


def _let_services_assume_roles() -> None:
    """Supply the context a service supplies when it assumes a role, and hold the trust to that service.

    The emulator supplies no ``aws:SourceAccount`` and no ``aws:SourceArn``, so a trust that asks for them refuses
    everybody. Whoever stands in for a service says so with two headers on its AssumeRole.
    """
    handle, evaluate = sts.handle_request, iam_evaluator.evaluate_trust_policy

    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any) -> Any:
        _on_behalf.set((headers.get(ON_BEHALF_OF, ""), headers.get(SOURCE_ARN, "")))
        return await handle(method, path, headers, body, query_params)

    def evaluated(trust_doc: Any, caller_arn: str, ctx: Any = None) -> bool:
        service, source = _on_behalf.get()
        if service and ctx:
            caller_arn, allowed = service, _admits(trust_doc, service, source, ctx)
        else:
            allowed = evaluate(trust_doc, caller_arn, ctx)
        if not allowed:
            denials.record(
                caller_arn, ctx.action if ctx else "sts:AssumeRole", ctx.resource_arn if ctx else "*", "trust policy"
            )
        return allowed

    sts.handle_request = handled
    iam_evaluator.evaluate_trust_policy = evaluated


def _admits(trust: str | dict[str, Any], service: str, source: str, ctx: Any) -> bool:
    """Whether *trust* lets *service* assume its role for *source*, in the context that the service supplies."""
    document: dict[str, Any] = json.loads(trust) if isinstance(trust, str) else trust
    statements: list[dict[str, Any]] | dict[str, Any] = document.get("Statement", [])
    named = [
        {**statement, "Resource": "*"}  # a trust names no resource, and the evaluator wants one
        for statement in (statements if isinstance(statements, list) else [statements])
        if iam_evaluator._service_principal_matches(statement.get("Principal"), service)
        or statement.get("Principal") == "*"
    ]
    # EC2 takes an instance's role on for nobody in particular.
    supplied = {"aws:sourcearn": source, "aws:sourceaccount": source.split(":")[4]} if source else {}
    context = dataclasses.replace(
        ctx, principal_arn=service, principal_type="Service", service_context={**ctx.service_context, **supplied}
    )
    return (
        iam_evaluator.evaluate(context, [iam_evaluator.parse_policy_document({"Statement": named})]).decision == "Allow"
    )


def _let_functions_assume_their_role() -> None:
    """Hold a function's role to its trust: the emulator hands out its credentials without asking the role.

    AWS refuses at CreateFunction, and at the invocation when the trust has changed since.
    """
    credentials = lambda_runtime.execution_credentials

    def trusted(config: dict[str, Any]) -> dict[str, str]:
        iam: Any = importlib.import_module("ministack.services.iam")
        role, function = str(config.get("Role", "")), str(config["FunctionArn"])
        account, region = function.split(":")[4], function.split(":")[3]
        record: dict[str, Any] = iam._roles.get_scoped(account, None, role.rsplit("/", 1)[-1]) or {}
        ctx = iam_evaluator.EvalContext(_LAMBDA, "Service", account, "sts:AssumeRole", role, region)
        if not _admits(record.get("AssumeRolePolicyDocument", "{}"), _LAMBDA, function, ctx):
            denials.record(_LAMBDA, "sts:AssumeRole", role, "trust policy")
            raise PermissionError(f"The role defined for the function cannot be assumed by Lambda: {role}")
        return credentials(config)

    lambda_runtime.execution_credentials = trusted


def _show_private_apis_their_endpoint() -> None:
    """Show a private REST API's resource policy ``aws:SourceVpc`` and ``aws:SourceVpce``.

    Such an API is called through an interface endpoint and no other way, so the caller's VPC is the endpoint's. Without
    an endpoint, or without a resource policy, AWS lets nobody call it.
    """
    resolve, refuse = iam_evaluator._resolve_condition_key, apigateway_v1._anonymous_policy_error

    def resolved(key: str, ctx: Any) -> Any:
        member = {"aws:sourcevpc": "VpcId", "aws:sourcevpce": "VpcEndpointId"}.get(key.lower())
        if member and ctx.action == "execute-api:Invoke":
            return (_endpoint_of(ctx.resource_arn) or {}).get(member)
        return resolve(key, ctx)

    def refused(api_id: str, stage: str, method: str, path: str, account: str, region: str) -> Any:
        arn = f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{method}/{path.lstrip('/')}"
        api = _private_api(arn)
        error = refuse(api_id, stage, method, path, account, region)
        if error is None and api and not (api.get("policy") and _endpoint_of(arn)):
            wanted = "a resource policy" if _endpoint_of(arn) else "an execute-api interface endpoint that it names"
            error = apigateway_v1._gw_error("ACCESS_DENIED", f"a private API without {wanted} admits nobody")
        if error is not None:
            denials.record("anonymous", "execute-api:Invoke", arn, "resource policy")
        return error

    iam_evaluator._resolve_condition_key = resolved
    apigateway_v1._anonymous_policy_error = refused


def _private_api(execute_arn: str) -> dict[str, Any] | None:
    region, account, path = execute_arn.split(":", 5)[3:]
    api = apigateway_v1._rest_apis.get_scoped(account, region, path.split("/")[0])
    return api if api and "PRIVATE" in api["endpointConfiguration"].get("types", []) else None


def _endpoint_of(execute_arn: str) -> dict[str, Any] | None:
    """Return the interface endpoint that a private API is called through: one it names, or any if it names none."""
    ec2: Any = importlib.import_module("ministack.services.ec2")
    api = _private_api(execute_arn)
    if not api:
        return None
    named = api["endpointConfiguration"].get("vpcEndpointIds")
    region, account = execute_arn.split(":")[3:5]
    return next(
        (
            endpoint
            for (owner, where, name), endpoint in ec2._vpc_endpoints.all_items()
            if (owner, where) == (account, region)
            and endpoint["ServiceName"].endswith(".execute-api")
            and (not named or name in named)
        ),
        None,
    )


def _ask_functions_for_permission() -> None:
    """Hold a function behind a REST API to its resource policy, which the emulator does not read there.

    AWS answers 500 "Internal server error" where ``apigateway.amazonaws.com`` may not invoke the function for that
    method. An integration with credentials of its own is a role's call, not the service's.
    """
    invoke = apigateway_v1._invoke_lambda_proxy_v1

    async def asked(
        integration: dict[str, Any], api_id: str, stage_name: str, stage: Any, resource: dict[str, Any], *rest: Any,
        owner_account_id: str, owner_region: str, **named: Any,
    ) -> Any:  # fmt: skip
        lambda_svc: Any = importlib.import_module("ministack.services.lambda_svc")
        function = apigateway_v1._extract_lambda_ref_from_integration_uri(integration.get("uri", ""))
        _request_path, method = rest[:2]
        called = f"{api_id}/{stage_name}/{method}{resource['path']}"
        source = f"arn:aws:execute-api:{owner_region}:{owner_account_id}:{called}"
        ctx = iam_evaluator.EvalContext(
            _API_GATEWAY, "Service", owner_account_id, "lambda:InvokeFunction", function, owner_region,
            service_context={"aws:sourcearn": source, "aws:sourceaccount": owner_account_id},
        )  # fmt: skip
        policy = (lambda_svc.function_policy_for_arn(function) or (None,))[0]
        decision = iam_evaluator.evaluate_resource_policy(policy, ctx, service=_API_GATEWAY).decision
        if decision != "Allow" and not integration.get("credentials"):
            denials.record(_API_GATEWAY, "lambda:InvokeFunction", function, f"resource policy, for {source}")
            return 500, {"Content-Type": "application/json"}, b'{"message": "Internal server error"}'
        owner = {"owner_account_id": owner_account_id, "owner_region": owner_region}
        return await invoke(integration, api_id, stage_name, stage, resource, *rest, **owner, **named)

    apigateway_v1._invoke_lambda_proxy_v1 = asked


def _name_log_streams() -> None:
    """Match log actions on ``log-group:NAME:log-stream:STREAM``, not on ``log-group:NAME``.

    Policies name a group as ``log-group:NAME:*`` for all actions but tagging; without the suffix AWS refuses.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    extract, tags = iam_actions.extract_resource_arn, iam_actions.logs_service_context

    def extracted(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        arn = extract(service, method, path, headers, body, *rest)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, *rest[:1])
        if service == "logs" and ":log-group:" in arn and action not in _TAGGING:
            arn += f":log-stream:{json.loads(body).get('logStreamName', '')}"
        return arn

    def of_the_group(action: str, body: bytes, resource_arn: str, region: str, account_id: str) -> Any:
        return tags(action, body, resource_arn.partition(":log-stream:")[0], region, account_id)

    iam_actions.extract_resource_arn = extracted
    iam_actions.logs_service_context = of_the_group


def _leave_balancers_their_paths() -> None:
    """Let a request to a load balancer reach its targets whatever its path.

    ``/health`` and a few other paths are the emulator's own on every host, so it would answer for a workload that is
    dead.
    """
    shortcut = app._handle_pre_body_request

    async def unless_balanced(method: str, path: str, headers: dict[str, str], *rest: Any) -> Any:
        if app._is_potential_alb_request(headers.get("host", ""), path):
            return None
        return await shortcut(method, path, headers, *rest)

    app._handle_pre_body_request = unless_balanced
