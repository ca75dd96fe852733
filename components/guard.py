"""Runs tasks one at a time: whoever comes while another run is going is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import documents, guard_states, naming, run, security_group
from components.base import Component, declared
from components.capacity import Capacity, check_strategy
from components.cluster import Cluster
from components.errors import InvalidArgsError, of, within
from components.failure_events import FailedRuns, FailedRunsArgs, FailedTasks, FailedTasksArgs
from components.grants import Grant
from components.roles import ServiceRole, confused_deputy
from components.task import Task

if TYPE_CHECKING:
    from pulumi import Input

    from components.account import Account
    from components.adopted_network import AnyNetwork
    from components.run import Run

_DAY: Final = 24 * 3600
# The rule by which Step Functions learns that a task has stopped; it makes it itself, once an account and region.
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
_MANAGED_RULE: Final = "rule/StepFunctionsGetEventsForECSTaskRule"


@dataclass(frozen=True, kw_only=True)
class GuardArgs:
    """What a `Guard` takes.

    Raises:
        InvalidArgsError: no task, one family twice, or a bound broken.

    """

    account: Account
    """Where it is."""
    tasks: Sequence[Task]
    """What it may run, one or more: all that must never run at the same time."""
    cluster: Cluster
    """Where its tasks run."""
    network: AnyNetwork
    """Whose app subnets they stand in: private ones, never with a public address."""
    alerts: Input[str]
    """ARN of the topic that is told of failures; it must admit ``events.amazonaws.com``."""
    timeout: int = 3600
    """Seconds that a run may take, from the request to its task's end, 60 to 172800 (two days); it is stopped then."""
    retries: int = 0
    """Further runs after one that failed, 0 to 10; each failed one is told. Default: none, since only some jobs can be
    run again. A start that fails (no capacity, no image, no network) is tried three times in any case, each told where
    it came to a task; a timeout is never tried again."""
    skips: int = 3
    """Skips of one schedule in a row that are a failure, 1 to 100; and after that, as many again."""
    open_ports: Sequence[int] = (443,)
    """TCP ports its tasks may call, anywhere. Default: HTTPS alone."""
    capacity: Sequence[Capacity] = ()
    """Default: the cluster's own strategy."""

    def __post_init__(self) -> None:
        families = [task.family for task in self.tasks]
        if not families or len(set(families)) < len(families):
            raise InvalidArgsError(of(self, "tasks"), got=families, want="one task or more, each family once")
        within(self, "timeout", 60, 2 * _DAY, "seconds")
        within(self, "retries", 0, 10)
        within(self, "skips", 1, 100)
        if self.capacity:
            check_strategy(self.capacity)
        for task in self.tasks:
            run.check(task, self.cluster, self.capacity)


class Guard(Component):
    """A lock, and a state machine that runs a task while it holds it; several schedules can share one, by its name.

    The lock is an item of a table, taken by a conditional write, that expires if nobody releases it. A run that fails,
    times out, cannot start or is skipped too often is told to the alerts, with the reason.

    Its names are as given, with nothing behind: people type them, to run a job or to break a lock, and whoever starts
    it is held to its ARN before it is made. Executions are kept in Step Functions for 90 days; they are not logged
    beside that, which would take rights on every log group of the account.

    Raises:
        InvalidArgsError: a name that does not fit the limits of Step Functions, IAM or EventBridge.

    """

    arn: Output[str]
    """The state machine's."""
    lock_table: str
    """Name of the lock's table."""
    security_group_id: Output[str]
    """Of its tasks: what another component opens its port to."""
    cluster: Cluster
    tasks: Sequence[Task]

    def __init__(self, name: str, args: GuardArgs, opts: ResourceOptions | None = None) -> None:
        self.lock_table = naming.fixed(f"{name}-lock", naming.TABLE)
        for task in args.tasks:
            naming.autonamed(f"{name}-failed-{task.family}", naming.EVENT_RULE)
        self._machine = machine(args.account, name)
        self.cluster, self.tasks = args.cluster, args.tasks
        role = self._role(name, args)
        super().__init__(name, declared(args), opts, roles=[role])

        group = security_group.of_tasks(self, name, args.network.vpc_id, args.open_ports, args.tasks)
        self.security_group_id = group.id
        table = aws.dynamodb.Table(
            f"{name}-lock",
            name=self.lock_table,
            billing_mode="PAY_PER_REQUEST",
            hash_key=guard_states.LOCK_KEY,
            attributes=[{"name": guard_states.LOCK_KEY, "type": "S"}],
            server_side_encryption={"enabled": True},
            tags=self.tags,
            opts=self.child(),
        )
        works_as = role.create(self)
        plan = guard_states.Plan(
            table=table.name,
            cluster_arn=args.cluster.arn,
            definitions={task.family: task.arn for task in sorted(args.tasks, key=lambda task: task.family)},
            subnets=args.network.app_subnet_ids,
            security_group_id=group.id,
            capacity=args.cluster.strategy(args.capacity),
            task_group=f"guard:{name}",
            timeout=args.timeout,
            retries=args.retries,
            skips=args.skips,
        )
        self.arn = aws.sfn.StateMachine(
            name,
            name=name,
            type="STANDARD",
            role_arn=works_as.arn,
            definition=documents.render(guard_states.definition(plan)),
            tags=self.tags,
            # Step Functions asks what the role may do when the machine is made; and what a run needs outlives it.
            opts=self.child(
                ResourceOptions(depends_on=[*([works_as.policy] if works_as.policy else []), *group.ways_out])
            ),
        ).arn
        for task in args.tasks:
            FailedTasks(
                f"{name}-failed-{task.family}",
                FailedTasksArgs(
                    account=args.account,
                    cluster_arn=args.cluster.arn,
                    family=task.family,
                    topic_arn=args.alerts,
                    # Whoever else runs tasks of the family tells of them too.
                    task_group=plan.task_group,
                ),
                self.child(),
            )
        FailedRuns(f"{name}-failed", FailedRunsArgs(state_machine_arn=self.arn, topic_arn=args.alerts), self.child())
        self.register_outputs({"arn": self.arn, "security_group_id": self.security_group_id})

    def start(self) -> Grant:
        """Allow starting a run, and nothing else."""
        return Grant(actions=("states:StartExecution",), resources=(self._machine,))

    def input_for(self, schedule: str, of_run: Run) -> dict[str, Any]:
        """Return the input that makes the guard do *of_run*; skips are counted for *schedule*.

        Raises:
            InvalidArgsError: a task that is none of the guard's.

        """
        families = [task.family for task in self.tasks]
        if of_run.task.family not in families:
            raise InvalidArgsError("Guard.tasks", got=families, want=f"{of_run.task.family} too, which it is to run")
        return guard_states.input_for(schedule, of_run.task.family, of_run.overrides())

    def _role(self, name: str, args: GuardArgs) -> ServiceRole:
        account = args.account
        return ServiceRole(
            name=naming.autonamed(f"{name}-guard", naming.ROLE),
            service="states.amazonaws.com",
            conditions=confused_deputy(account, self._machine),
            grants=(
                Grant(
                    actions=("dynamodb:UpdateItem",), resources=(account.arn("dynamodb", f"table/{self.lock_table}"),)
                ),
                *run.grants(account, args.cluster, args.tasks),
                Grant(
                    actions=("ecs:DescribeTasks", "ecs:StopTask"),
                    resources=(run.tasks_of(account, args.cluster),),
                    conditions={"ArnEquals": {"ecs:cluster": args.cluster.arn}},
                ),
                Grant(
                    actions=("events:DescribeRule", "events:PutRule", "events:PutTargets"),
                    resources=(account.arn("events", _MANAGED_RULE),),
                ),
            ),
        )


def machine(account: Account, guard: str) -> str:
    """Return the ARN that the state machine of *guard* will have."""
    return account.arn("states", f"stateMachine:{naming.fixed(guard, naming.STATE_MACHINE)}")
