"""The corrections of what a call is held against: tasks, services, passed roles, a topic's key, and TLS.

An action may need others besides: AWS asks for `iam:PassRole` on the roles of a task that is run, and for the key of an
encrypted topic that is published to. They are asked for once the action itself is allowed.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import contextvars
import importlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

app: Any = importlib.import_module("ministack.app")
iam_actions: Any = importlib.import_module("ministack.core.iam_actions")
iam_evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")

_RUN: Final = "RunTask"
_ON_TASKS: Final = {"StopTask": "task", "DescribeTasks": "tasks"}
"""ECS action → the member that names its tasks."""
_ECS_TASKS: Final = "ecs-tasks.amazonaws.com"
_AWS_KEY: Final = "alias/aws/"
"""Keys that AWS keeps for a service: whoever may use the service may use them."""


class _Check(NamedTuple):
    action: str
    resource: str
    context: dict[str, Any]


_besides: contextvars.ContextVar[tuple[_Check, ...]] = contextvars.ContextVar("besides", default=())
"""What the ECS request in hand needs besides its own action."""
_refused: contextvars.ContextVar[_Check | None] = contextvars.ContextVar("refused", default=None)
"""Which of them was refused."""


def hold_tasks_to_their_definition() -> None:
    """Match RunTask on the task definition, StopTask and DescribeTasks on the tasks, and know ``ecs:cluster``.

    The emulator matches each on the cluster, without that key, and asks nobody for ``iam:PassRole``, nor for
    ``ecs:TagResource`` where a task is tagged as it starts.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
    """
    extract, context, respond = (
        iam_actions.extract_resource_arn,
        iam_actions.request_tag_context,
        iam_actions.access_denied_response,
    )
    enforce = iam_evaluator.enforce

    def extracted(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        _besides.set(())
        _refused.set(None)
        action = headers.get("x-amz-target", "").rpartition(".")[2] if service == "ecs" else ""
        if action == _RUN:
            request = json.loads(body)
            arn, roles = _definition_and_roles(request)
            checks = [_Check("iam:PassRole", role, {"iam:PassedToService": _ECS_TASKS}) for role in roles]
            if request.get("tags") or request.get("propagateTags"):
                any_task = _cluster(request).replace(":cluster/", ":task/") + "/*"
                checks.append(_Check("ecs:TagResource", any_task, {"ecs:CreateAction": _RUN}))
            _besides.set(tuple(checks))
            return arn
        if action in _ON_TASKS:
            first, *others = _tasks(json.loads(body), action) or ["*"]
            _besides.set(tuple(_Check(f"ecs:{action}", task, _cluster_context(body)) for task in others))
            return first
        return extract(service, method, path, headers, body, *rest)

    def contextual(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = context(service, action, body, params)
        return found | _cluster_context(body) if service == "ecs" else found

    def enforced(key: str, action: str, service: str, region: str, resource_arn: str = "*", **named: Any) -> Any:
        refusal = enforce(key, action, service, region, resource_arn, **named)
        checks = _besides.get() if service == "ecs" else _for_the_key(resource_arn) if action == "sns:Publish" else ()
        for check in checks if refusal is None else ():
            owner = check.action.partition(":")[0]
            refusal = enforce(key, check.action, owner, region, check.resource, service_context=check.context)
            if refusal:
                _refused.set(check)
                break
        return refusal

    def responded(service: str, action: str, *rest: Any, **named: Any) -> Any:
        check = _refused.get()
        return respond(service, check.action if check else action, *rest, **named)

    iam_actions.extract_resource_arn = extracted
    iam_actions.request_tag_context = contextual
    iam_actions.access_denied_response = responded
    iam_evaluator.enforce = enforced


def hold_services_to_their_arn() -> None:
    """Match UpdateService on the service; the emulator matches it on the cluster, as it does all that names one.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    _hold_against("ecs", "UpdateService", _service)


def name_parameters() -> None:
    """Match ``ssm:GetParameters`` on the parameter it names, where it names one, as ECS asks for a secret."""
    _hold_against("ssm", "GetParameters", _parameter)


def _hold_against(service: str, action: str, named: Callable[[dict[str, Any], str, str], str | None]) -> None:
    """Match *action* of *service* on the ARN that is *named* in its request; without one, on what the emulator would.

    *named* is given the request, the region and the account.
    """
    extract = iam_actions.extract_resource_arn

    def extracted(
        of: str, method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any, *where: str
    ) -> str:
        asked = (of, headers.get("x-amz-target", "").rpartition(".")[2])
        own = named(json.loads(body), *where) if asked == (service, action) else None
        return own or extract(of, method, path, headers, body, query_params, *where)

    iam_actions.extract_resource_arn = extracted


def take_loopback_for_tls() -> None:
    """Show a policy ``aws:SecureTransport`` as true: in an account every SDK speaks TLS, and here nobody does.

    A topic or bucket that refuses plain HTTP would refuse its own workload.
    """
    pin = app.pin_request_origin

    def pinned(source_ip: str, _secure: bool) -> None:  # noqa: FBT001 - its caller's way
        pin(source_ip, True)  # noqa: FBT003 - likewise

    app.pin_request_origin = pinned


def _definition_and_roles(request: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the ARN of the task definition that is to run, with its revision, and the roles that are passed to it."""
    ecs: Any = importlib.import_module("ministack.services.ecs")
    named = str(request.get("taskDefinition", ""))
    definition: dict[str, Any] = ecs._task_defs.get(ecs._resolve_td_key(named)) or {}
    overrides = request.get("overrides", {})
    roles = [overrides.get(role) or definition.get(role) for role in ("taskRoleArn", "executionRoleArn")]
    return definition.get("taskDefinitionArn", named), list(dict.fromkeys(role for role in roles if role))


def _tasks(request: dict[str, Any], action: str) -> list[str]:
    named: str | list[str] = request.get(_ON_TASKS[action], [])
    tasks = [named] if isinstance(named, str) else named
    cluster = _cluster(request).replace(":cluster/", ":task/")
    return [each if each.startswith("arn:") else f"{cluster}/{each}" for each in tasks]


def _service(request: dict[str, Any], *_: str) -> str:
    named = str(request.get("service", ""))
    return named if named.startswith("arn:") else f"{_cluster(request).replace(':cluster/', ':service/')}/{named}"


def _parameter(request: dict[str, Any], region: str, account: str) -> str | None:
    names = request.get("Names", [])
    if len(names) != 1 or names[0].startswith("arn:"):
        return None
    return f"arn:aws:ssm:{region}:{account}:parameter/{names[0].removeprefix('/')}"


def _cluster_context(body: bytes) -> dict[str, Any]:
    request = json.loads(body or b"{}")
    return {"ecs:cluster": _cluster(request)}


def _cluster(request: dict[str, Any]) -> str:
    responses: Any = importlib.import_module("ministack.core.responses")
    named = str(request.get("cluster") or "default")
    where = f"{responses.get_region()}:{responses.get_account_id()}"
    return named if named.startswith("arn:") else f"arn:aws:ecs:{where}:cluster/{named}"


def _for_the_key(topic: str) -> tuple[_Check, ...]:
    """Return what publishing to *topic* asks of its key, unless that is AWS's own.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sns-what-permissions-for-sse
    """
    key = key_of(topic)
    return tuple(_Check(action, key, {}) for action in ("kms:GenerateDataKey", "kms:Decrypt") if key)


def key_of(topic: str) -> str:
    """Return the ARN of the key that the messages of *topic* are encrypted with; empty if it is AWS's own, or none."""
    sns: Any = importlib.import_module("ministack.services.sns")
    kms: Any = importlib.import_module("ministack.services.kms")
    found = sns._topic_by_arn_any_scope(topic)
    named = str(found["attributes"].get("KmsMasterKeyId", "")) if found else ""
    if not named or _AWS_KEY in named:
        return ""
    record: dict[str, str] = kms._resolve_key(named) or {}
    return record.get("Arn", named)
