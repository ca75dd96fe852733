"""A new deployment of a service when a secret that its tasks read was rotated: ECS reads a secret when a task starts.

Secrets Manager tells of a rotation through CloudTrail alone: the account needs a trail that logs management events.
EventBridge cannot call ECS's `UpdateService` itself, so a state machine of one state does.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import documents, naming
from components.base import Component, declared
from components.errors import InvalidArgsError, of
from components.failure_events import FailedRuns, FailedRunsArgs
from components.grants import Grant
from components.roles import ServiceRole, confused_deputy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi import Input

    from components.account import Account
    from components.cluster import Cluster
    from components.service import Service

_TRIES: Final = 8
_FIRST_WAIT: Final = 15
"""Seconds before the second try; each wait is twice the one before, half an hour in all: a service that is being
deployed may refuse another deployment."""


@dataclass(frozen=True, kw_only=True)
class RedeploymentArgs:
    """What a `Redeployment` takes.

    Raises:
        InvalidArgsError: no secret.

    """

    account: Account
    """Where it is."""
    service: Service
    """What is deployed anew, with the task definition that it has."""
    cluster: Cluster
    """Where the service is."""
    secrets: Mapping[str, Input[str]]
    """ARNs of the secrets that its tasks read, one or more, by a name for each."""
    alerts: Input[str]
    """ARN of the topic that is told of a deployment that could not be asked for; it must admit
    ``events.amazonaws.com``."""

    def __post_init__(self) -> None:
        if not self.secrets:
            raise InvalidArgsError(of(self, "secrets"), got={}, want="at least one, by whose rotation it is deployed")


class Redeployment(Component):
    """A rule that hears of each rotation that succeeded, and a state machine that deploys the service anew.

    A value that somebody puts there by hand is no rotation: start the machine, which bears the component's name. Its
    role may deploy this one service, and nothing else.

    Raises:
        InvalidArgsError: a name that does not fit the limits of Step Functions, IAM or EventBridge.

    """

    arn: Output[str]
    """The state machine's."""

    def __init__(self, name: str, args: RedeploymentArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(f"{name}-failed", naming.EVENT_RULE)
        # Its name is as given: whoever starts it is held to its ARN before it is made.
        machine = args.account.arn("states", f"stateMachine:{naming.fixed(name, naming.STATE_MACHINE)}")
        deploys, starts = _deploys(name, args, machine), _starts(name, args, machine)
        super().__init__(name, declared(args), opts, roles=[deploys, starts])

        works_as = deploys.create(self)
        self.arn = aws.sfn.StateMachine(
            name,
            name=name,
            type="STANDARD",
            role_arn=works_as.arn,
            definition=documents.render(_definition(args)),
            tags=self.tags,
            opts=self.child(ResourceOptions(depends_on=[works_as.policy] if works_as.policy else [])),
        ).arn
        rule = aws.cloudwatch.EventRule(
            name,
            description="Secrets that were rotated",
            event_pattern=documents.render(_rotated([args.secrets[each] for each in sorted(args.secrets)])),
            tags=self.tags,
            opts=self.child(),
        )
        aws.cloudwatch.EventTarget(
            name, rule=rule.name, arn=self.arn, role_arn=starts.create(self).arn, opts=self.child()
        )
        FailedRuns(f"{name}-failed", FailedRunsArgs(state_machine_arn=self.arn, topic_arn=args.alerts), self.child())
        self.register_outputs({"arn": self.arn})


def _deploys(name: str, args: RedeploymentArgs, machine: str) -> ServiceRole:
    """Plan the state machine's role."""
    return ServiceRole(
        name=naming.autonamed(f"{name}-deploy", naming.ROLE),
        service="states.amazonaws.com",
        conditions=confused_deputy(args.account, machine),
        grants=(Grant(actions=("ecs:UpdateService",), resources=(args.service.arn,)),),
    )


def _starts(name: str, args: RedeploymentArgs, machine: str) -> ServiceRole:
    """Plan the role that EventBridge starts it with."""
    return ServiceRole(
        name=naming.autonamed(f"{name}-start", naming.ROLE),
        service="events.amazonaws.com",
        conditions=confused_deputy(args.account, args.account.arn("events", f"rule/{name}-*")),
        grants=(Grant(actions=("states:StartExecution",), resources=(machine,)),),
    )


def _definition(args: RedeploymentArgs) -> dict[str, Any]:
    deploy: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:{args.account.partition}:states:::aws-sdk:ecs:updateService",
        "Parameters": {"Cluster": args.cluster.arn, "Service": args.service.arn, "ForceNewDeployment": True},
        "Retry": [
            {"ErrorEquals": ["States.ALL"], "IntervalSeconds": _FIRST_WAIT, "BackoffRate": 2, "MaxAttempts": _TRIES - 1}
        ],
        # The whole description of the service, of which nobody asks anything.
        "ResultPath": None,
        "End": True,
    }
    return {"StartAt": "Deploy", "States": {"Deploy": deploy}}


def _rotated(secrets: list[Input[str]]) -> dict[str, Any]:
    """Return the pattern of the event: what is told of a rotation that has ended, and not of one that was asked for.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
    """
    return {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS Service Event via CloudTrail"],
        "detail": {
            "eventSource": ["secretsmanager.amazonaws.com"],
            "eventName": ["RotationSucceeded"],
            "additionalEventData": {"SecretId": secrets},
        },
    }
