"""What a schedule does at its times: start a guard, or run a task itself; and the command that does it now."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi import Output

from components import documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi_aws as aws
    from pulumi import Input

    from components.capacity import Capacity
    from components.cluster import Cluster
    from components.guard import Guard
    from components.run import Run


@dataclass(frozen=True, kw_only=True)
class Target:
    """What Scheduler calls, and with what."""

    arn: Input[str]
    """Of the guard's state machine, or of the cluster."""
    input: Input[str] | None
    """What is sent along."""
    run_now: Output[str]
    """The command that does the same by hand."""
    ecs_parameters: aws.scheduler.ScheduleTargetEcsParametersArgsDict | None = None
    """How a task is run; None for a guard."""

    def call(
        self, *, role_arn: Input[str], undelivered_arn: Input[str], retries: int, max_event_age: int
    ) -> aws.scheduler.ScheduleTargetArgsDict:
        """Return it as a schedule takes it, with the role that calls, and what becomes of a call that fails."""
        said: aws.scheduler.ScheduleTargetArgsDict = {
            "arn": self.arn,
            "role_arn": role_arn,
            "dead_letter_config": {"arn": undelivered_arn},
            "retry_policy": {"maximum_retry_attempts": retries, "maximum_event_age_in_seconds": max_event_age},
        }
        if self.input is not None:
            said["input"] = self.input
        if self.ecs_parameters is not None:
            said["ecs_parameters"] = self.ecs_parameters
        return said


def guarded(schedule: str, guard: Guard, run: Run, region: str) -> Target:
    """Return the start of *guard* with *run*, on behalf of *schedule*."""
    said = documents.render(guard.input_for(schedule, run))
    return Target(
        arn=guard.arn,
        input=said,
        run_now=Output.all(guard.arn, said).apply(
            lambda known: (
                f"aws stepfunctions start-execution --region {region} "
                f"--state-machine-arn {shlex.quote(known[0])} --input {shlex.quote(known[1])}"
            )
        ),
    )


def direct(
    run: Run,
    *,
    cluster: Cluster,
    capacity: Sequence[Capacity],
    subnets: Sequence[Input[str]],
    security_group_id: Input[str],
    task_group: str,
    region: str,
) -> Target:
    """Return *run* on *cluster*, in the ECS task group *task_group*, by which its events can be told from others."""
    overrides, placed = run.overrides(), cluster.strategy(capacity)
    request = run.request(
        cluster=cluster, capacity=capacity, subnets=subnets, security_group_id=security_group_id, group=task_group
    )
    return Target(
        arn=cluster.arn,
        input=documents.render(overrides) if overrides else None,
        run_now=Output.from_input(documents.render(request)).apply(
            lambda known: f"aws ecs run-task --region {region} --cli-input-json {shlex.quote(known)}"
        ),
        ecs_parameters={
            "task_definition_arn": run.task.arn,
            "task_count": 1,
            "capacity_provider_strategies": [
                {"capacity_provider": each.provider, "weight": each.weight, "base": each.base} for each in placed
            ],
            "network_configuration": {
                "subnets": list(subnets),
                "security_groups": [security_group_id],
                "assign_public_ip": False,
            },
            "group": task_group,
            "propagate_tags": "TASK_DEFINITION",
            "enable_ecs_managed_tags": True,
            "enable_execute_command": False,
        },
    )
