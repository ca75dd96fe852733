"""parking-etl: New Taipei City's car parks, copied from its open data into SQLite on a shared file system.

Two jobs write one database, which takes one writer at a time. In the mode ``scheduled`` each run is a task of its own,
started by a schedule through a guard that both share; in ``always-on`` one task runs both by its own clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from apps._workload import Outputs, Workload
from components import schedule_expression, schedule_target
from components.container import Container
from components.failure_events import FailedTasks, FailedTasksArgs
from components.file_system import AccessPoint, FileSystem, FileSystemArgs
from components.guard import Guard, GuardArgs
from components.rollout import Rollout
from components.run import Run
from components.schedule import Schedule, ScheduleArgs
from components.service import Service, ServiceArgs
from components.task import Task
from settings import TaskSettings
from settings.section import Section, Text

_DATA: Final = "/app/data"
_JOBS: Final = ("sync-availability", "sync-parking")
_LONGEST_RUN: Final = 900
"""Seconds after which a guarded run is stopped. A run gives up by itself after four minutes."""


class TimesSettings(Section):
    """When each job runs, in the mode `scheduled`."""

    sync_availability: str = "rate(5 minutes)"
    """The spaces left: `rate(...)`, `cron(...)` or `at(...)`."""
    sync_parking: str = "cron(0 2 * * ? *)"
    """The car parks themselves."""
    timezone: str = "Asia/Taipei"
    """IANA's name of the zone of both."""
    enabled: bool = True
    """Whether the schedules run. Off, jobs are still run by hand."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        if fault := schedule_expression.fault_of_timezone(self.timezone):
            raise ValueError(f"timezone: got {self.timezone!r}; {fault}")
        # A moment before all others: what is turned off may be past.
        now = None if self.enabled else datetime(1970, 1, 1, tzinfo=UTC)
        faults = [
            f"{name}: got {text!r}; {fault}"
            for name, text in (("sync_availability", self.sync_availability), ("sync_parking", self.sync_parking))
            if (fault := schedule_expression.fault(text, self.timezone, now=now))
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Settings(TaskSettings):
    """What `workloads: parking-etl:` may say."""

    mode: Literal["scheduled", "always-on"] = "scheduled"
    """A task for each run, or one task that stays and keeps time by itself."""
    times: TimesSettings = TimesSettings()
    """Of `scheduled`; the other mode has the source's own times, every 5 minutes and at 02:00 in Taipei."""
    open_data_url: Annotated[str, Text(r"https://[A-Za-z0-9.-]+", "https:// and a host name, no more")] = (
        "https://data.ntpc.gov.tw"
    )
    """Where the open data is. Without a port: its tasks may call 443 alone."""
    sleeps: bool = True
    """Of `always-on`: whether its task sleeps when the stack does. The runs of that time are not made up for."""
    throughput: Literal["elastic", "bursting"] = "bursting"
    """The file system's: `bursting` costs nothing beside the storage."""
    skips: Annotated[int, Field(ge=1, le=100)] = 3
    """Runs in a row that find the database taken before that is told as a failure, in the mode `scheduled`."""

    @model_validator(mode="after")
    def _of_its_mode(self) -> Self:
        unread = sorted(self.model_fields_set & {"times", "skips"}) if self.mode == "always-on" else []
        if unread:
            raise ValueError(
                f"mode: got 'always-on'; take out {' and '.join(unread)}, or choose 'scheduled', which goes by it"
            )
        if self.mode == "scheduled" and "sleeps" in self.model_fields_set:
            raise ValueError("sleeps: schedules never sleep; take it out, or choose the mode 'always-on'")
        return self


class ParkingEtl(Workload[Settings]):
    """A file system, a task that writes to it, and whatever runs that task."""

    def deploy(self) -> Outputs:
        """Make it all; hand out how to run each job now."""
        on, settings = self.on, self.settings
        files = FileSystem(
            self.name,
            FileSystemArgs(
                account=on.account,
                network=on.network,
                access_points={"data": AccessPoint(path="/parking-data", uid=1000, gid=1000, mode="755")},
                throughput=settings.throughput,
                protect=on.protect,
            ),
            self.child(),
        )
        container = Container(
            name=self.name,
            image=self.image(repository="parking-newtaipei"),
            command=("cron",),
            environment={"OPEN_DATA_URL": settings.open_data_url, "DATA_DIR": _DATA},
            mounts={_DATA: files.volume("data")},
        )
        kind = "scheduled" if settings.mode == "scheduled" else "fargate"
        task = Task(
            self.name,
            self.task_args(settings, [container], family=f"{self.name}-{kind}", log_group=f"/ecs/{self.name}"),
            self.child(),
        )
        running = self._scheduled(task) if settings.mode == "scheduled" else self._always_on(task)
        return {
            "mode": settings.mode,
            "file_system_id": files.id,
            "log_group_name": task.log_group_name,
            "alerts_topic_arn": on.alerts.arn,
            **running,
        }

    def _scheduled(self, task: Task) -> Outputs:
        """Make the two schedules, and the guard by which neither runs while the other does."""
        on, times = self.on, self.settings.times
        capacity = [part.value() for part in self.settings.capacity]
        guard = Guard(
            "parking-database",
            GuardArgs(
                account=on.account,
                tasks=[task],
                cluster=on.cluster,
                network=on.network,
                alerts=on.alerts.arn,
                timeout=_LONGEST_RUN,
                skips=self.settings.skips,
                capacity=capacity,
            ),
            self.child(),
        )
        schedules = {
            job: Schedule(
                job,
                ScheduleArgs(
                    account=on.account,
                    task=task,
                    cluster=on.cluster,
                    network=on.network,
                    alerts=on.alerts.arn,
                    expression=expression,
                    timezone=times.timezone,
                    command=(job,),
                    guard=guard,
                    flexible_window=window,
                    enabled=times.enabled,
                ),
                self.child(),
            )
            # A window shorter than the time between two runs: the first is every five minutes.
            for job, expression, window in zip(
                _JOBS, (times.sync_availability, times.sync_parking), (1, 15), strict=True
            )
        }
        return {
            "guard_arn": guard.arn,
            **{f"run_{job.replace('-', '_')}": schedule.run_now for job, schedule in schedules.items()},
        }

    def _always_on(self, task: Task) -> Outputs:
        """Make the service of one task, and what tells of its failures and of those of runs by hand."""
        on = self.on
        capacity = [part.value() for part in self.settings.capacity]
        service = Service(
            self.name,
            ServiceArgs(
                task=task,
                cluster=on.cluster,
                network=on.network,
                desired_count=1,
                sleep=on.sleep if self.settings.sleeps else None,
                # The old one ends before the new one starts: each would find the database taken by the other.
                rollout=Rollout(minimum_healthy_percent=0, maximum_percent=100, zone_rebalancing=False),
                capacity=capacity,
            ),
            self.child(),
        )
        FailedTasks(
            f"{self.name}-failed",
            FailedTasksArgs(
                account=on.account,
                cluster_arn=on.cluster.arn,
                family=task.family,
                topic_arn=on.alerts.arn,
                interruptions=False,
            ),
            self.child(),
        )
        by_hand = {
            job: schedule_target.direct(
                Run(task=task, command=(job,)),
                cluster=on.cluster,
                capacity=capacity or on.cluster.capacity,
                subnets=on.network.app_subnet_ids,
                security_group_id=service.security_group_id,
                task_group=f"by-hand:{job}",
                region=on.account.region,
            ).run_now
            for job in _JOBS
        }
        return {
            "service_name": service.service_name,
            **{f"run_{job.replace('-', '_')}": command for job, command in by_hand.items()},
        }
