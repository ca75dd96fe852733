"""A task that runs once to its end before a service moves to a new version: a migration, say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from pulumi import Output, Resource, ResourceHook, ResourceHookBinding, ResourceOptions

from components import documents, naming, run, security_group
from components.base import Component, declared
from components.capacity import check_strategy
from components.errors import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import ResourceHookArgs

    from components.adopted_network import AnyNetwork
    from components.capacity import Capacity
    from components.cluster import Cluster
    from components.run import Run

_HOUR: Final = 3600


class Runner(Protocol):
    """Who runs a job: the library calls nothing of AWS's itself. What is declared of it is what a dataclass holds."""

    def __call__(self, name: str, request: str, timeout: int) -> None:
        """Run the job *name*, which is to take *timeout* seconds at most, to its end; called on a thread of its own.

        *request* is what `RunTask` takes, as JSON.

        Raises:
            Exception: it came to no good end; the message says why, and what it said last.

        """
        ...


@dataclass(frozen=True, kw_only=True)
class JobArgs:
    """What a `Job` takes.

    Raises:
        InvalidArgsError: a bound broken, or a task that the cluster's machines cannot run by itself.

    """

    run: Run
    """What runs: the task, whose role and secrets are its own, and what it changes against the task's definition."""
    cluster: Cluster
    """Where."""
    network: AnyNetwork
    """Whose app subnets it stands in: private ones, never with a public address."""
    runner: Runner
    """Who runs it, in the process of ``pulumi up``, and with what that may do."""
    timeout: int = 600
    """Seconds from the request to its task's end, 60 to 3600; it is stopped then, and has failed."""
    open_ports: Sequence[int] = (443,)
    """TCP ports it may call, anywhere. Default: HTTPS alone. Whoever else is called opens its own way."""
    capacity: Sequence[Capacity] = ()
    """Default: the cluster's own strategy."""

    def __post_init__(self) -> None:
        within(self, "timeout", 60, _HOUR, "seconds")
        if self.capacity:
            check_strategy(self.capacity)
        run.check(self.run.task, self.cluster, self.capacity)


class Job(Component):
    """What a `Service` has run first (`ServiceArgs.before`), and the security group that it runs in.

    It runs in a hook of the service's: never in a preview; when the service is made; and when it is about to take
    another task definition, be it a later one or an earlier one again. Where it fails, the service is not touched, and
    the next ``pulumi up`` runs it again: so it must bear to run twice, and what it does must suit the version that
    still runs.

    Raises:
        InvalidArgsError: a name that no security group or task group takes.

    """

    security_group_id: Output[str]
    """Its own: what another component opens its port to."""
    needs: list[Resource]
    """What must be there before it runs. What opens its way to a database, say, is to be added before a service takes
    it."""

    def __init__(self, name: str, args: JobArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.SECURITY_GROUP)
        super().__init__(name, declared(args), opts)
        self._name, self._runner, self._timeout = name, args.runner, args.timeout

        group = security_group.of_tasks(self, name, args.network.vpc_id, args.open_ports, [args.run.task])
        self.security_group_id, self.needs = group.id, [args.run.task.definition, *group.ways_out]
        self._request = Output.from_input(
            documents.render(
                args.run.request(
                    cluster=args.cluster,
                    capacity=args.capacity,
                    subnets=args.network.app_subnet_ids,
                    security_group_id=group.id,
                    group=f"job:{name}",
                )
            )
        )
        self.hook = ResourceHook(f"job:{name}", self._before)
        self.register_outputs({"security_group_id": self.security_group_id})

    async def _before(self, service: ResourceHookArgs) -> None:
        """Run it, unless the service keeps the task definition that it has."""
        old, new = service.old_inputs, service.new_inputs
        if old and new and _definition(old) == _definition(new):
            return
        request = cast("str", await self._request.future())
        await asyncio.to_thread(self._runner, self._name, request, self._timeout)


def binding(jobs: Sequence[Job]) -> ResourceHookBinding | None:
    """Return what has the engine run *jobs*, in their order, before it makes or changes a service."""
    if not jobs:
        return None
    hooks: list[Any] = [each.hook for each in jobs]
    return ResourceHookBinding(before_create=hooks, before_update=hooks)


def _definition(inputs: Any) -> object:
    return inputs.get("taskDefinition")
