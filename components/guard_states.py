"""The state machine of a guard, as data: lock, run, release.

One item of one table is the lock: `holder`, the execution that has it; `expires`, the second from which anybody may
take it; `run` and `since`, what to tell those that are turned away; and for each schedule how often in a row it was.
Whoever deletes the item breaks the lock.
An execution always ends before its lock expires, so that two runs never meet, however one of them dies. Redriven, it
would go on without the lock: start another one instead.

In JSONata (``"QueryLanguage"``), which Step Functions has since November 2024; strings in ``{% %}`` are expressions.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from components import guard_verdict as verdict
from components.run import capitalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input

    from components.capacity import Capacity

LOCK_KEY: Final = "id"
"""The table's partition key."""
_LOCK: Final = {LOCK_KEY: {"S": "lock"}}

_STARTS: Final = 3
"""How often an execution starts a task until one is told that it cannot be."""
_STARTING: Final = 300
"""Seconds allowed to a start that fails: a pull that is tried again, a network interface that never comes."""
_STOPPING: Final = 180
"""Seconds until a task that is told to stop is gone: Fargate gives a container at most 120 from SIGTERM to SIGKILL."""
_LONGEST_PAUSE: Final = 300
"""Seconds between two tries, at most."""
_CALLS: Final = 300
"""Seconds for all that is neither: calls to DynamoDB and ECS, with their retries."""

_ME: Final = "{% $states.context.Execution.Id %}"
_SAID: Final = "$states.context.Execution.Input"
_SECOND: Final = "$floor($millis() / 1000)"

# The error of a failed condition in an integration of Step Functions' own.
_REFUSED: Final = "DynamoDB.ConditionalCheckFailedException"
_RETRY: Final = [
    {"ErrorEquals": [_REFUSED], "MaxAttempts": 0},
    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 5},
]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the machine of one guard is made from."""

    table: Input[str]
    """Name of the lock's table."""
    cluster_arn: Input[str]
    """Where tasks run."""
    definitions: Mapping[str, Input[str]]
    """Family → task definition: what an execution may ask for."""
    subnets: Sequence[Input[str]]
    """Where tasks stand."""
    security_group_id: Input[str]
    """Of the tasks."""
    capacity: Sequence[Capacity]
    """What tasks run on."""
    task_group: str
    """What their events tell them by from other tasks of their families."""
    timeout: int
    """Seconds of one run."""
    retries: int
    """Further runs after one that failed."""
    skips: int
    """Skips of a schedule in a row that are a failure."""
    pause: int = 15
    """Seconds before the second try; each further one waits twice as long."""

    @property
    def longest(self) -> int:
        """Seconds after which an execution is ended, whatever it does."""
        tries = range(_STARTS - 1 + self.retries)
        pauses = sum(min(self.pause * 2**number, _LONGEST_PAUSE) for number in tries)
        runs = (self.retries + 1) * (self.timeout + _STOPPING)
        return runs + (_STARTS - 1) * _STARTING + pauses + _CALLS

    @property
    def lease(self) -> int:
        """Seconds after which a lock that was never released is anybody's: the task is gone by then."""
        return self.longest + _STOPPING


def definition(plan: Plan) -> dict[str, Any]:
    """Return the machine of *plan*. Its leaves may be outputs."""
    return {
        "Comment": "Runs one task at a time; a run that meets another one is skipped",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": plan.longest,
        "StartAt": "TakeLock",
        "States": {**_taking(plan), **_running(plan), **_ending(plan), **_skipping(plan)},
    }


def _taking(plan: Plan) -> dict[str, Any]:
    """Take the lock, if it is nobody's, expired, or this execution's own already: an answer may have been lost."""
    return {
        "TakeLock": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Arguments": {
                "TableName": plan.table,
                "Key": _LOCK,
                "ConditionExpression": "attribute_not_exists(expires) OR expires <= :now OR holder = :me",
                # Whoever runs is in no row of skips any more.
                "UpdateExpression": "SET holder = :me, expires = :until, run = :run, since = :since REMOVE #skips",
                "ExpressionAttributeNames": _skips_of_schedule(),
                "ExpressionAttributeValues": {
                    ":me": {"S": _ME},
                    ":now": {"N": f"{{% $string({_SECOND}) %}}"},
                    ":until": {"N": f"{{% $string({_SECOND} + {plan.lease}) %}}"},
                    ":run": {"S": f"{{% {_SAID}.schedule %}}"},
                    ":since": {"S": "{% $states.context.Execution.StartTime %}"},
                },
            },
            "Retry": _RETRY,
            "Catch": [{"ErrorEquals": [_REFUSED], "Next": "CountSkip"}],
            "Assign": {"definitions": plan.definitions, "starts": 1, "runs": 0, "error": "", "cause": "", "held": 0},
            "Next": "Run",
        }
    }


def _running(plan: Plan) -> dict[str, Any]:
    """Run the task, and judge what came of it."""
    return {
        "Run": {
            "Type": "Task",
            "Resource": "arn:aws:states:::ecs:runTask.sync",
            "TimeoutSeconds": plan.timeout,
            "Arguments": {
                "Cluster": plan.cluster_arn,
                "TaskDefinition": f"{{% $lookup($definitions, {_SAID}.task) %}}",
                "CapacityProviderStrategy": [
                    {"CapacityProvider": each.provider, "Weight": each.weight, "Base": each.base}
                    for each in plan.capacity
                ],
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "Subnets": list(plan.subnets),
                        "SecurityGroups": [plan.security_group_id],
                        "AssignPublicIp": "DISABLED",
                    }
                },
                "Overrides": f"{{% $exists({_SAID}.overrides) ? {_SAID}.overrides : {{}} %}}",
                "Group": plan.task_group,
                "PropagateTags": "TASK_DEFINITION",
                "EnableECSManagedTags": True,
                "EnableExecuteCommand": False,
            },
            "Catch": [
                {
                    "ErrorEquals": ["States.Timeout"],
                    "Assign": {
                        "error": "RunTimedOut",
                        "cause": f"stopped after {plan.timeout} seconds, which is its timeout",
                        # Step Functions has told the task to stop, and does not wait until it has.
                        "held": _STOPPING,
                    },
                    "Next": "Release",
                },
                {
                    "ErrorEquals": ["States.ALL"],
                    "Assign": {"stopped": verdict.STOPPED, "words": verdict.WORDS},
                    "Next": "Judge",
                },
            ],
            "Next": "Release",
        },
        "Judge": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": f"{{% {verdict.NEVER_RAN} and $starts < {_STARTS} %}}",
                    "Assign": {"starts": "{% $starts + 1 %}"},
                    "Next": "Pause",
                },
                {
                    "Condition": f"{{% {verdict.NEVER_RAN} %}}",
                    "Assign": {"error": "CannotStart", "cause": verdict.CAUSE},
                    "Next": "Release",
                },
                {
                    "Condition": f"{{% $runs < {plan.retries} %}}",
                    "Assign": {"runs": "{% $runs + 1 %}"},
                    "Next": "Pause",
                },
            ],
            "Assign": {"error": verdict.FAILURE, "cause": verdict.CAUSE},
            "Default": "Release",
        },
        "Pause": {
            "Type": "Wait",
            "Seconds": f"{{% $min([{plan.pause} * $power(2, $starts + $runs - 2), {_LONGEST_PAUSE}]) %}}",
            "Next": "Run",
        },
    }


def _ending(plan: Plan) -> dict[str, Any]:
    """Release the lock, and end as the run did."""
    return {
        "Release": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Arguments": {
                "TableName": plan.table,
                "Key": _LOCK,
                "ConditionExpression": "holder = :me",
                "UpdateExpression": "SET expires = :until",
                "ExpressionAttributeValues": {
                    ":me": {"S": _ME},
                    ":until": {"N": f"{{% $string({_SECOND} + $held) %}}"},
                },
            },
            "Retry": _RETRY,
            # Somebody broke the lock by hand: it is not this execution's to release.
            "Catch": [{"ErrorEquals": [_REFUSED], "Next": "Outcome"}],
            "Next": "Outcome",
        },
        "Outcome": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $error = '' %}", "Next": "Done"}],
            "Default": "Failed",
        },
        "Done": {"Type": "Pass", "Output": {"outcome": "succeeded"}, "End": True},
        "Failed": {"Type": "Fail", "Error": "{% $error %}", "Cause": f"{{% {_SAID}.schedule & ': ' & $cause %}}"},
    }


def _skipping(plan: Plan) -> dict[str, Any]:
    """Count a skip of this schedule's; too many in a row are a failure, and then as many again."""
    return {
        "CountSkip": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Arguments": {
                "TableName": plan.table,
                "Key": _LOCK,
                "UpdateExpression": "ADD #skips :one",
                "ExpressionAttributeNames": _skips_of_schedule(),
                "ExpressionAttributeValues": {":one": {"N": "1"}},
                "ReturnValues": "ALL_NEW",
            },
            "Retry": _RETRY,
            "Assign": {
                "skips": f"{{% $number($lookup($states.result.Attributes, 'skips of ' & {_SAID}.schedule).N) %}}",
                "run": "{% $states.result.Attributes.run.S %}",
                "since": "{% $states.result.Attributes.since.S %}",
            },
            "Next": "TooManySkips",
        },
        "TooManySkips": {
            "Type": "Choice",
            # Not when it is just as many: a lost answer counts twice.
            "Choices": [{"Condition": f"{{% $skips >= {plan.skips} %}}", "Next": "CountAnew"}],
            "Default": "Skipped",
        },
        "CountAnew": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Arguments": {
                "TableName": plan.table,
                "Key": _LOCK,
                "UpdateExpression": "REMOVE #skips",
                "ExpressionAttributeNames": _skips_of_schedule(),
            },
            "Retry": _RETRY,
            "Next": "SkippedTooOften",
        },
        "Skipped": {
            "Type": "Pass",
            "Output": {"outcome": "skipped", "skips": "{% $skips %}", "because_of": "{% $run %}"},
            "End": True,
        },
        "SkippedTooOften": {
            "Type": "Fail",
            "Error": "SkippedTooOften",
            "Cause": f"{{% {_SAID}.schedule & ' was skipped ' & $string($skips) & ' times in a row: ' & $run & "
            "' has been running since ' & $since %}",
        },
    }


def _skips_of_schedule() -> dict[str, str]:
    return {"#skips": f"{{% 'skips of ' & {_SAID}.schedule %}}"}


def input_for(schedule: str, family: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of an execution: who asks, for a task of which family, with which of ECS's *overrides*."""
    return {"schedule": schedule, "task": family, "overrides": capitalised(overrides)}
