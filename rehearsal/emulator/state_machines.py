"""The corrections of Step Functions: a state machine acts under its role, and a task that fails fails its state.

The emulator calls other services as itself, and answers a task's end with what DescribeTasks says, whatever came of it.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import json
import re
import time
from typing import TYPE_CHECKING, Any, Final, cast

from rehearsal.emulator import denials
from rehearsal.emulator.own_access import access

if TYPE_CHECKING:
    from collections.abc import Mapping

iam_evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
responses: Any = importlib.import_module("ministack.core.responses")
stepfunctions: Any = importlib.import_module("ministack.services.stepfunctions")

_STATES: Final = "states.amazonaws.com"
_UNDER_ROLE: Final = re.compile(r"arn:aws:states:::(?:aws-sdk:)?(dynamodb|ecs|sns|sqs):(\w+)(\.sync)?")
"""The integrations that are called under the role; others are the emulator's own, as itself."""
_ERRORS: Final = {"dynamodb": "DynamoDB", "ecs": "ECS", "sns": "SNS", "sqs": "SQS"}
"""Service → what its errors begin with; those of ``aws-sdk`` integrations are in the emulator's own table."""
_EVERY: Final = 0.1
"""Seconds between two looks at a task."""
_MANAGED_RULE: Final = "StepFunctionsGetEventsForECSTaskRule"
_MANAGES: Final = ("events:PutRule", "events:PutTargets", "events:DescribeRule")

_execution: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("execution")
"""The execution whose state is in hand."""
_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline", default=float("inf"))
"""The monotonic time at which the state in hand gives up."""


def act_under_the_role() -> None:
    """Make a state machine's calls under its role, which must trust Step Functions and allow each of them.

    ``ecs:runTask.sync`` waits until the task has stopped, and gives it as Step Functions spells it. It fails with
    ``States.TaskFailed`` and the task as its cause where an essential container ended with another code than 0 or
    never started. ``TimeoutSeconds``, and an execution that is stopped, stop the task.
    https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
    """
    execute, limited = stepfunctions._execute_task, stepfunctions._invoke_resource_with_timeout
    fail, invoke = stepfunctions._fail_execution, stepfunctions._invoke_resource

    def executed(state: dict[str, Any], raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        _execution.set(execution)
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = stepfunctions._apply_jsonata_template(state["TimeoutSeconds"], raw_input, ctx)
            state = state | {"TimeoutSeconds": seconds}
        return execute(state, raw_input, execution, ctx)

    def failed(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":  # one that was stopped stays so
            fail(execution, error, cause)

    def invoked(resource: str, arguments: dict[str, Any]) -> Any:
        return _invoked(resource, arguments) if _UNDER_ROLE.fullmatch(resource) else invoke(resource, arguments)

    def invoked_within(resource: str, arguments: dict[str, Any], seconds: float) -> Any:
        if not resource.endswith(".sync"):
            return limited(resource, arguments, seconds)
        _deadline.set(time.monotonic() + seconds)
        try:
            return invoked(resource, arguments)
        finally:
            _deadline.set(float("inf"))

    stepfunctions._execute_task = executed
    stepfunctions._fail_execution = failed
    stepfunctions._invoke_resource = invoked
    stepfunctions._invoke_resource_with_timeout = invoked_within


def ask_for_the_managed_rule() -> None:
    """Refuse a state machine that waits for tasks and whose role may not manage the rule by which it learns their end.

    https://docs.aws.amazon.com/step-functions/latest/dg/ecs-iam.html
    """
    create = stepfunctions._create_state_machine

    def created(data: dict[str, Any]) -> Any:
        if "ecs:runTask.sync" in str(data.get("definition", "")):
            role, account = str(data.get("roleArn", "")), responses.get_account_id()
            rule = f"arn:aws:events:{responses.get_region()}:{account}:rule/{_MANAGED_RULE}"
            name = role.rpartition("/")[2]
            policies = iam_evaluator._gather_role_policies(name, account)
            principal = f"arn:aws:sts::{account}:assumed-role/{name}/states"
            for action in _MANAGES:
                ctx = iam_evaluator.EvalContext(principal, "AssumedRole", account, action, rule, responses.get_region())
                decision = iam_evaluator.evaluate(ctx, policies).decision
                if decision != "Allow":
                    denials.record(principal, action, rule, f"identity policy: {decision}")
                    refusal = f"'{role}' is not authorized to create managed-rule."
                    return responses.error_response_json("AccessDeniedException", refusal, 400)
        return create(data)

    stepfunctions._create_state_machine = created


def _invoked(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if _execution.get()["status"] != "RUNNING":
        raise stepfunctions._ExecutionError("States.TaskFailed", "the execution was stopped")
    service, operation, sync = cast("re.Match[str]", _UNDER_ROLE.fullmatch(resource)).groups()
    if operation == "runTask":
        arguments = {"StartedBy": "AWS Step Functions", **arguments}
    answer = _call(resource, service, operation, arguments)
    return _await_task(resource, arguments, answer) if sync else answer


def _call(resource: str, service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Call *operation* of *service* under the role; arguments and answer are spelt as Step Functions spells them."""
    exceptions: Any = importlib.import_module("botocore.exceptions")
    execution = _execution.get()
    machine = stepfunctions._state_machines[execution["stateMachineArn"]]
    model: Any = None
    try:
        client = _client(service, machine["roleArn"], execution["stateMachineArn"], execution["name"])
        model = client.meta.service_model
        name = operation[0].upper() + operation[1:]
        shapes = model.operation_model(name)
        method = importlib.import_module("botocore").xform_name(name)
        answer = getattr(client, method)(**_spelt(arguments, shapes.input_shape))
    except exceptions.ClientError as error:
        told = error.response["Error"]
        raise stepfunctions._ExecutionError(_error(resource, service, model, told["Code"]), told["Message"]) from error
    except exceptions.ParamValidationError as error:
        raise stepfunctions._ExecutionError("States.Runtime", str(error)) from error
    answer.pop("ResponseMetadata", None)
    return cast("dict[str, Any]", _spelt_out(answer, shapes.output_shape))


def _error(resource: str, service: str, model: Any, code: str) -> str:
    """Return the error's name; one that the service's model does not know goes by the service's own."""
    if model is None:
        return "States.Runtime"  # the role could not be assumed
    shape = model.shape_for_error_code(code)
    if ":aws-sdk:" in resource:
        return stepfunctions._prefix_sdk_error(service, shape.name if shape else code)
    return f"{_ERRORS[service]}.{shape.name if shape else f'Amazon{_ERRORS[service]}Exception'}"


@functools.lru_cache(maxsize=64)
def _client(service: str, role: str, machine: str, execution: str) -> Any:
    """Return the client of *service* under the role of a *machine*, for one execution of it."""
    return access().client_as(service, _credentials(role, machine, execution))


@functools.lru_cache(maxsize=64)
def _credentials(role: str, machine: str, execution: str) -> dict[str, Any]:
    return access().assume(role, service=_STATES, source=machine, session=f"states-{execution}"[:64])


def _spelt(value: Any, shape: Any) -> Any:
    """Return *value* with its members as *shape* names them: Step Functions writes ``TaskDefinition``."""
    match getattr(shape, "type_name", ""):
        case "structure" if isinstance(value, dict):
            names = {name[0].upper() + name[1:]: name for name in shape.members}
            given = cast("dict[str, Any]", value)
            return {
                names.get(name, name): _spelt(each, shape.members.get(names.get(name, name)))
                for name, each in given.items()
            }
        case "list" if isinstance(value, list):
            return [_spelt(each, shape.member) for each in cast("list[Any]", value)]
        case "map" if isinstance(value, dict):
            return {name: _spelt(each, shape.value) for name, each in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _spelt_out(value: Any, shape: Any) -> Any:
    """Return *value*, an answer of *shape*, as Step Functions writes it: members in capitals, times in milliseconds."""
    match getattr(shape, "type_name", ""):
        case "structure" if isinstance(value, dict):
            return {
                name[0].upper() + name[1:]: _spelt_out(each, shape.members.get(name))
                for name, each in cast("dict[str, Any]", value).items()
            }
        case "list" if isinstance(value, list):
            return [_spelt_out(each, shape.member) for each in cast("list[Any]", value)]
        case "map" if isinstance(value, dict):
            return {name: _spelt_out(each, shape.value) for name, each in cast("dict[str, Any]", value).items()}
        case "timestamp":
            return int(value.timestamp() * 1000)
        case _:
            return value


def _await_task(resource: str, arguments: Mapping[str, Any], started: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of the one task that *started* tells of, and return it."""
    execution = _execution.get()
    if started.get("Failures") or not started.get("Tasks"):
        raise stepfunctions._ExecutionError("ECS.AmazonECSException", json.dumps(started.get("Failures", [])))
    details = {"resourceType": "ecs", "resource": "runTask.sync", "output": json.dumps(started)}
    stepfunctions._add_event(execution, "TaskSubmitted", {"taskSubmittedEventDetails": details})
    named = {"Cluster": arguments.get("Cluster", "default")}
    task = str(started["Tasks"][0]["TaskArn"])
    while _tasks()[task]["lastStatus"] != "STOPPED":
        late = time.monotonic() > _deadline.get()
        if late or execution["status"] != "RUNNING":
            with contextlib.suppress(stepfunctions._ExecutionError):  # as AWS: a refusal is recorded, and no more
                _call(resource, "ecs", "stopTask", {**named, "Task": task, "Reason": "Stopped by AWS Step Functions"})
            raise stepfunctions._ExecutionError("States.Timeout" if late else "States.TaskFailed", "")
        time.sleep(_EVERY)
    ended = _call(resource, "ecs", "describeTasks", {**named, "Tasks": [task]})["Tasks"][0]
    if not _succeeded(ended):
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(ended))
    return ended


def _tasks() -> Any:
    return importlib.import_module("ministack.services.ecs")._tasks


def _succeeded(task: Mapping[str, Any]) -> bool:
    """Whether each essential container of *task*, as ECS describes it, ended with 0."""
    ecs: Any = importlib.import_module("ministack.services.ecs")
    definition = ecs._task_defs[ecs._resolve_td_key(task["TaskDefinitionArn"])]
    essential = {each["name"] for each in definition["containerDefinitions"] if each.get("essential", True)}
    return all(each.get("ExitCode") == 0 for each in task["Containers"] if each["Name"] in essential)
