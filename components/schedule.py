"""A task that runs at its times: by a cron expression, at a rate, or once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import naming, run, schedule_expression, schedule_target, security_group, undelivered
from components.base import Component, declared
from components.capacity import Capacity, check_strategy
from components.errors import InvalidArgsError, of, one_of, within
from components.failure_events import FailedTasks, FailedTasksArgs
from components.grants import Grant
from components.guard import Guard, GuardArgs, machine
from components.roles import ServiceRole
from components.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input

    from components.account import Account
    from components.adopted_network import AnyNetwork
    from components.cluster import Cluster
    from components.fargate import Size
    from components.schedule_target import Target
    from components.task import Task

_DAY: Final = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class ScheduleArgs:
    """What a `Schedule` takes. Bounds: the shapes of `CreateSchedule` in botocore's `scheduler` model.

    Raises:
        InvalidArgsError: an expression, zone or date that Scheduler refuses, or with which nothing would ever run; a
            bound broken; or a guard where none is asked for, of another cluster or without the task.

    """

    account: Account
    """Where it is."""
    task: Task
    """What runs."""
    cluster: Cluster
    """Where."""
    network: AnyNetwork
    """Whose app subnets the task stands in: a private one, never with a public address."""
    alerts: Input[str]
    """ARN of the topic that is told of failures; it must admit EventBridge and CloudWatch (`TopicArgs.publishers`)."""
    expression: str
    """``rate(5 minutes)``, ``cron(0 18 * * ? *)`` (minutes, hours, day of month, month, day of week, year), or once,
    ``at(2030-01-31T08:00:00)``. https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html"""
    timezone: str = "UTC"
    """IANA's name of the zone in which the expression is read, such as ``Asia/Taipei``."""
    command: Sequence[str] = ()
    """What the container runs. Default: what its definition says."""
    environment: Mapping[str, Input[str]] = field(default_factory=dict[str, "Input[str]"])
    """Variables beside or instead of the definition's. No secrets: it can be read in the schedule."""
    size: Size | None = None
    """CPU units and MiB of these runs. Default: the definition's."""
    container: str | None = None
    """Which container the command and the environment are for. Default: the only one there is."""
    overlap: Literal["skip", "allow"] = "skip"
    """What becomes of a run while another one is going: skipped, or run beside it. Default: skipped, by a guard."""
    guard: Guard | None = None
    """The guard that keeps runs apart, shared with whatever else must not run meanwhile; it has cluster and network of
    its own. Default: one of this schedule's own, with an hour for each run."""
    retries: int = 5
    """Attempts to start the run after one that failed, 0 to 185; what cannot be delivered is kept and alarmed."""
    max_event_age: int = 3600
    """Seconds after which a run that could not be started is given up, 60 to 86400."""
    flexible_window: int | None = None
    """Minutes within which Scheduler may choose the moment, 1 to 1440. Default: at the minute."""
    start: str | None = None
    """From when it runs: ``2030-01-31T08:00:00Z``, in UTC. Default: at once. Not for a one-off."""
    end: str | None = None
    """Until when, likewise. Default: for ever."""
    enabled: bool = True
    """Whether it runs. Off, a one-off that has run already may stay as it is."""
    open_ports: Sequence[int] = (443,)
    """TCP ports the task may call, anywhere; with a guard, the guard's. Default: HTTPS alone."""
    capacity: Sequence[Capacity] = ()
    """What it runs on; with a guard, the guard's. Default: the cluster's own strategy."""

    def __post_init__(self) -> None:
        one_of(self, "overlap", ("skip", "allow"))
        within(self, "retries", 0, 185)
        within(self, "max_event_age", 60, _DAY, "seconds")
        within(self, "flexible_window", 1, 1440, "minutes")
        if self.capacity:
            check_strategy(self.capacity)
        if self.guard is None:
            run.check(self.task, self.cluster, self.capacity)
        if wrong := schedule_expression.fault_of_timezone(self.timezone):
            raise InvalidArgsError(of(self, "timezone"), got=self.timezone, want=wrong)
        # A moment before all others: what is turned off may be past.
        now = datetime.now(UTC) if self.enabled else datetime(1970, 1, 1, tzinfo=UTC)
        if wrong := schedule_expression.fault(self.expression, self.timezone, now=now):
            raise InvalidArgsError(of(self, "expression"), got=self.expression, want=wrong)
        self._check_span(now)
        self.run()
        if self.guard:
            self._check_guard(self.guard)

    def _check_span(self, now: datetime) -> None:
        start, end = (self._moment(name) for name in ("start", "end"))
        if self.expression.startswith("at(") and (start or end):
            name = "start" if start else "end"
            raise InvalidArgsError(of(self, name), got=getattr(self, name), want="none: a one-off has neither")
        if end and end <= max(now, start or now):
            raise InvalidArgsError(of(self, "end"), got=self.end, want="a time to come, and after the start")

    def _moment(self, name: str) -> datetime | None:
        said: str | None = getattr(self, name)
        if said is None:
            return None
        try:
            return datetime.strptime(said, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise InvalidArgsError(of(self, name), got=said, want="a time in UTC, as 2030-01-31T08:00:00Z") from None

    def _check_guard(self, guard: Guard) -> None:
        if self.overlap == "allow":
            raise InvalidArgsError(of(self, "guard"), got="a guard", want="none, or overlap='skip'")
        if guard.cluster is not self.cluster:
            raise InvalidArgsError(of(self, "cluster"), got="another than the guard's", want="the cluster of the guard")
        guard.input_for("", self.run())

    def run(self) -> Run:
        """Return one run of it.

        Raises:
            InvalidArgsError: the task has no such container, or does not fit the size.

        """
        return Run(
            task=self.task,
            command=self.command,
            environment=self.environment,
            size=self.size,
            container=self.container,
        )


class Schedule(Component):
    """A schedule in a group of its own, and the role under which Scheduler starts its runs.

    By default it starts a guard, and may do nothing else; with ``overlap="allow"`` it runs the task itself. A run that
    Scheduler could not start is kept in a queue for 14 days, and an alarm stands as long as one is there; a run that
    failed is told by its guard, or by a rule of the schedule's own.

    The group and the queue are called as the schedule is, with nothing behind: the role is held to their ARNs before
    they are made.

    Raises:
        InvalidArgsError: a name that does not fit the limits of Scheduler, IAM, SQS or EventBridge.

    """

    arn: Output[str]
    """The schedule's."""
    run_now: Output[str]
    """The command that runs it now, as it would run at its time."""
    guard: Guard | None
    """Who keeps its runs apart; None where they may overlap."""
    security_group_id: Output[str]
    """Of its tasks: what another component opens its port to."""
    undelivered_arn: Output[str]
    """The queue of runs that could not be started."""

    def __init__(self, name: str, args: ScheduleArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.SCHEDULE)
        self._group = f"schedule-group/{naming.fixed(name, naming.SCHEDULE)}"
        self._undelivered = naming.fixed(f"{name}-undelivered", naming.QUEUE)
        if args.overlap == "allow":
            naming.autonamed(f"{name}-failed", naming.EVENT_RULE)
        elif not args.guard:
            naming.fixed(name, naming.STATE_MACHINE)
            naming.autonamed(f"{name}-failed-{args.task.family}", naming.EVENT_RULE)
        role = self._role(name, args)
        super().__init__(name, declared(args), opts, roles=[role])

        group = aws.scheduler.ScheduleGroup(name, name=name, tags=self.tags, opts=self.child())
        queue = undelivered.keep(self, self._undelivered, args.alerts)
        works_as = role.create(self)
        target = self._guarded(name, args) if args.overlap == "skip" else self._direct(name, args)
        schedule = aws.scheduler.Schedule(
            name,
            group_name=group.name,
            schedule_expression=args.expression,
            schedule_expression_timezone=args.timezone,
            start_date=args.start,
            end_date=args.end,
            state="ENABLED" if args.enabled else "DISABLED",
            flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": args.flexible_window}
            if args.flexible_window
            else {"mode": "OFF"},
            target=target.call(
                role_arn=works_as.arn,
                undelivered_arn=queue.arn,
                retries=args.retries,
                max_event_age=args.max_event_age,
            ),
            # A first run that comes before its rights would fail.
            opts=self.child(ResourceOptions(depends_on=[works_as.policy] if works_as.policy else [])),
        )
        self.arn, self.run_now, self.undelivered_arn = schedule.arn, target.run_now, queue.arn
        self.register_outputs(
            {
                "arn": self.arn,
                "run_now": self.run_now,
                "security_group_id": self.security_group_id,
                "undelivered_arn": self.undelivered_arn,
            }
        )

    def _role(self, name: str, args: ScheduleArgs) -> ServiceRole:
        account = args.account
        if args.overlap == "allow":
            starts = run.grants(account, args.cluster, [args.task])
        elif args.guard:
            starts = [args.guard.start()]
        else:
            starts = [Grant(actions=("states:StartExecution",), resources=(machine(account, name),))]
        return ServiceRole(
            name=naming.autonamed(f"{name}-schedule", naming.ROLE),
            service="scheduler.amazonaws.com",
            # The group's ARN, and not the schedule's: Scheduler cannot take a role that is held to one schedule.
            # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": account.id,
                    "aws:SourceArn": account.arn("scheduler", self._group),
                }
            },
            grants=(
                *starts,
                Grant(actions=("sqs:SendMessage",), resources=(account.arn("sqs", self._undelivered),)),
            ),
        )

    def _guarded(self, name: str, args: ScheduleArgs) -> Target:
        """Return the target that starts the guard; make one where none was given."""
        self.guard = args.guard or Guard(
            name,
            GuardArgs(
                account=args.account,
                tasks=[args.task],
                cluster=args.cluster,
                network=args.network,
                alerts=args.alerts,
                open_ports=args.open_ports,
                capacity=args.capacity,
            ),
            self.child(),
        )
        self.security_group_id = self.guard.security_group_id
        return schedule_target.guarded(name, self.guard, args.run(), args.account.region)

    def _direct(self, name: str, args: ScheduleArgs) -> Target:
        """Return the target that runs the task itself, and make what tells of its failures."""
        self.guard = None
        group = security_group.of_tasks(self, name, args.network.vpc_id, args.open_ports, [args.task])
        self.security_group_id = group.id
        # What tells these runs from others of the family: the definition may be shared.
        task_group = f"schedule:{name}"
        FailedTasks(
            f"{name}-failed",
            FailedTasksArgs(
                account=args.account,
                cluster_arn=args.cluster.arn,
                family=args.task.family,
                topic_arn=args.alerts,
                task_group=task_group,
            ),
            self.child(),
        )
        return schedule_target.direct(
            args.run(),
            cluster=args.cluster,
            capacity=args.capacity,
            subnets=args.network.app_subnet_ids,
            security_group_id=group.id,
            task_group=task_group,
            region=args.account.region,
        )
