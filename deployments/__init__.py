"""Whether ECS did what a deployment asked for: the engine says success when the circuit breaker brought the old back.

The provider waits until a service is steady, and after a rollback it is steady too. So the program asks ECS itself, at
the end of each ``pulumi up``, whether the task definition that runs is the one it declared; and asks again at the next
one, though nothing is changed by then. In a preview nothing is asked.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

import pulumi

from deployments.inquiry import Inquiry, UnansweredError

if TYPE_CHECKING:
    from pulumi import Input

    from components.service import Service


def confirm(service: Service, *, cluster_arn: Input[str], region: str) -> None:
    """Fail the deployment unless *service* runs its task in the revision that this program declares.

    A deployment that goes on is waited for, as long as the provider does: that has waited before, so that it is over as
    a rule. Without credentials that may ask it says so, and fails nothing.
    """
    if pulumi.runtime.is_dry_run():
        return

    # Here, where it loads boto3: beside it, on another thread, pulumi_aws would be loading its modules.
    inquiry, within = _inquiry(region), 60.0 * service.deployment.minutes

    async def asked(known: list[str]) -> None:
        cluster, arn, definition = known
        try:
            verdict = await asyncio.to_thread(inquiry.ask, cluster, arn, definition, within)
        except UnansweredError as error:
            pulumi.log.info(
                f"{arn.rpartition('/')[2]}: whether the new version runs was not confirmed: {error}", service
            )
            return
        if verdict.failed:
            raise pulumi.RunError(str(verdict))
        if verdict.idle:
            pulumi.log.info(
                f"{verdict.service}: {verdict.wanted} is what it will run, and no task of it is wanted now: "
                "nothing has shown that it runs",
                service,
            )

    # Made for what it does: nothing hangs on the answer, and the program does not end before it.
    pulumi.Output.all(cluster_arn, service.arn, service.task.arn).apply(asked)


@functools.cache
def _inquiry(region: str) -> Inquiry:
    """Return the one that all services of *region* are asked about through."""
    return Inquiry(region)
