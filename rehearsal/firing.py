"""Fires a schedule as EventBridge Scheduler does: its role assumed, its target called, a refusal sent to its queue.

The rehearsal fires by it now what is due some day, and the emulator what is due.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError, ParamValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.emulator.access import Access

_SCHEDULER: Final = "scheduler.amazonaws.com"


class FiringError(Exception):
    """The target was not started; why, in AWS's words."""


def fire(aws: Access, schedule: Mapping[str, Any]) -> str:
    """Call the target of *schedule*, as GetSchedule gives it; return the ARN of the execution or task that it started.

    The role is assumed for the schedule's group, which is what a trust that guards against the confused deputy names.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html

    Raises:
        FiringError: the role does not trust the scheduler or may not start the target, or the target refuses it. It was
            sent to the dead-letter queue then, where the target has one. What AWS would try again is not tried again.

    """
    target = schedule["Target"]
    group = f"arn:aws:scheduler:{aws.region}:{aws.account}:schedule-group/{schedule.get('GroupName', 'default')}"
    try:
        own = aws.assume(
            target["RoleArn"], service=_SCHEDULER, source=group, session=f"schedule-{schedule['Name']}"[:64]
        )
    except ClientError as error:
        raise FiringError(f"the role {target['RoleArn']} of the target: {error}") from error
    try:
        return _start(aws, own, target)
    except (ClientError, ParamValidationError) as error:
        _bury(aws, own, schedule, error)
        raise FiringError(f"{target['Arn']}: {error}") from error


def _start(aws: Access, own: dict[str, Any], target: Mapping[str, Any]) -> str:
    match str(target["Arn"]).split(":")[2]:
        case "states":
            states = aws.client_as("stepfunctions", own)
            return states.start_execution(stateMachineArn=target["Arn"], input=target.get("Input", "{}"))[
                "executionArn"
            ]
        case "ecs":
            return _run_task(aws, own, target)
        case service:
            raise FiringError(f"{target['Arn']}: a target of {service} is not rehearsed, only of states and ecs")


def _run_task(aws: Access, own: dict[str, Any], target: Mapping[str, Any]) -> str:
    ecs = aws.client_as("ecs", own)
    request = _spelt(target["EcsParameters"], ecs.meta.service_model.operation_model("RunTask").input_shape)
    # What the target calls otherwise than the operation, and the overrides, which are the target's input.
    request["count"] = target["EcsParameters"].get("TaskCount", 1)
    request["taskDefinition"] = target["EcsParameters"]["TaskDefinitionArn"]
    request["overrides"] = json.loads(target.get("Input") or "{}")
    answer = ecs.run_task(cluster=target["Arn"], **request)
    if answer["failures"]:
        raise FiringError(f"{target['Arn']}: {answer['failures']}")
    return str(answer["tasks"][0]["taskArn"])


def _spelt(value: Any, shape: Any) -> Any:
    """Return *value* with those members that *shape* has, named as *shape* names them."""
    if shape.type_name == "structure":
        given = {name.lower(): each for name, each in cast("Mapping[str, Any]", value).items()}
        known = {name: member for name, member in shape.members.items() if name.lower() in given}
        return {name: _spelt(given[name.lower()], member) for name, member in known.items()}
    if shape.type_name == "list":
        return [_spelt(each, shape.member) for each in cast("list[Any]", value)]
    return value


def _bury(aws: Access, own: dict[str, Any], schedule: Mapping[str, Any], error: Exception) -> None:
    """Send what was not delivered to the dead-letter queue, if there is one."""
    target = schedule["Target"]
    queue = target.get("DeadLetterConfig", {}).get("Arn", "")
    if not queue:
        return
    said = cast("dict[str, str]", cast("Any", error).response["Error"]) if isinstance(error, ClientError) else {}
    told = {
        "ERROR_CODE": said.get("Code", "ValidationException"),
        "ERROR_MESSAGE": said.get("Message", str(error)),
        "SCHEDULE_ARN": schedule["Arn"],
        "TARGET_ARN": target["Arn"],
    }
    try:
        aws.client_as("sqs", own).send_message(
            QueueUrl=aws.client("sqs").get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"],
            MessageBody=target.get("Input", "{}"),
            MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in told.items()},
        )
    except ClientError as refusal:
        raise FiringError(f"{target['Arn']}: {error}; and its dead-letter queue {queue}: {refusal}") from error
