"""Failures that AWS tells as events, and the rules that bring them to a topic: nothing fails without a word.

A topic must admit ``events.amazonaws.com`` (`TopicArgs.publishers`), or the rule fires and nobody is told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws

from components import documents, naming
from components.base import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi import Input, ResourceOptions

    from components.account import Account

# The enumeration `TaskStopCode` of botocore's `ecs` model, but for UserInitiated and ServiceSchedulerInitiated: whoever
# stops a task knows of it, and the exit code of a container that was told to stop says nothing.
NEVER_STARTED: Final = "TaskFailedToStart"
ENDED: Final = "EssentialContainerExited"
INTERRUPTED: Final = ("SpotInterruption", "TerminationNotice")

RUN_FAILED: Final = "RunFailed"
"""The error of an execution whose task told its end itself, by an event that `FailedTasks` surely takes."""


@dataclass(frozen=True, kw_only=True)
class FailedTasksArgs:
    """What `FailedTasks` takes."""

    account: Account
    """Where the tasks run."""
    cluster_arn: Input[str]
    """On which cluster."""
    family: str
    """Of which family, in any revision."""
    topic_arn: Input[str]
    """Who is told."""
    task_group: str | None = None
    """Only tasks that were started in this group (``group`` of `RunTask`). Default: all of the family."""
    interruptions: bool = True
    """Whether a task that was taken away with its Spot capacity has failed. Default: it has, as a job's run; a
    service replaces it."""


class FailedTasks(Part):
    """Tells a topic of each task that failed: a container ended with another code than 0, or the task never started.

    A task none of whose containers has an exit code failed too. One that is stopped from outside did not, whatever its
    code: every rollout of a service would raise an alarm. In a task of several containers, each one's code counts; but
    where each code there is is 0, one container without any goes unheard, since no pattern can say that (a guard tells
    it).

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in EventBridge's 64 characters.

    """

    def __init__(self, name: str, args: FailedTasksArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.EVENT_RULE)
        super().__init__(opts)
        _tell(
            self,
            name,
            f"Failed tasks of {args.family}",
            _failed_tasks(args),
            args.topic_arn,
            f"A task of {args.family} failed: stoppedReason says why, containers say their exitCode and reason",
        )


@dataclass(frozen=True, kw_only=True)
class FailedRunsArgs:
    """What `FailedRuns` takes."""

    state_machine_arn: Input[str]
    """The guard's."""
    topic_arn: Input[str]
    """Who is told."""


class FailedRuns(Part):
    """Tells a topic of each execution of a guard that failed, timed out or was aborted.

    But for `RUN_FAILED`: the run's task has told that itself, to whom `FailedTasks` leads, and nobody is told twice.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in EventBridge's 64 characters.

    """

    def __init__(self, name: str, args: FailedRunsArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.EVENT_RULE)
        super().__init__(opts)
        _tell(
            self,
            name,
            "Runs that a guard could not bring to a good end",
            _failed_runs(args),
            args.topic_arn,
            "A state machine's run came to no good end: status, error and cause say why",
        )


def _failed_tasks(args: FailedTasksArgs) -> dict[str, Any]:
    """Return the pattern of the event.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    failed: list[dict[str, Any]] = [
        {"stopCode": [NEVER_STARTED, *(INTERRUPTED if args.interruptions else ())]},
        # In a list, a field is missing only where no element has it.
        {"stopCode": [ENDED], "containers": {"exitCode": [{"anything-but": [0]}, {"exists": False}]}},
    ]
    detail: dict[str, Any] = {
        "clusterArn": [args.cluster_arn],
        "taskDefinitionArn": [{"prefix": args.account.arn("ecs", f"task-definition/{args.family}:")}],
        # Each change of a stopping task is an event with all that is known by then: the last one is told.
        "lastStatus": ["STOPPED"],
        "$or": failed,
    }
    if args.task_group is not None:
        detail["group"] = [args.task_group]
    return {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail}


def _failed_runs(args: FailedRunsArgs) -> dict[str, Any]:
    """Return the pattern of the event.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [args.state_machine_arn],
            "$or": [
                {"status": ["TIMED_OUT", "ABORTED"]},
                {"status": ["FAILED"], "error": [{"anything-but": [RUN_FAILED]}, {"exists": False}, None]},
            ],
        },
    }


def _tell(
    part: Part,
    name: str,
    description: str,
    pattern: Mapping[str, Any],
    topic_arn: Input[str],
    failure: str,
) -> None:
    """Make the rule and its target, which is told *failure* and the event itself.

    EventBridge escapes nothing that it takes out of an event, and delivers nothing that is no JSON: a reason with a
    quote in it would silence its own alarm. The event as a whole is JSON, whatever it has or lacks.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    rule = aws.cloudwatch.EventRule(
        name, description=description, event_pattern=documents.render(pattern), tags=part.tags, opts=part.child()
    )
    aws.cloudwatch.EventTarget(
        name,
        rule=rule.name,
        arn=topic_arn,
        input_transformer={"input_template": f'{{"failure": {json.dumps(failure)}, "event": <aws.events.event.json>}}'},
        opts=part.child(),
    )
