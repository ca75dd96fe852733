"""The data plane of network load balancers, which the emulator lacks.

Each load balancer has a loopback address a zone, as it has one a zone in AWS, and its TCP listeners are really open
there: a client that resolves its name (`rehearsal.dns`) is led to a target that the emulator calls healthy.

Otherwise than in AWS, connections go to the targets in turn, where AWS goes by a hash of each, so that what is spread
here may not be there; every zone leads to all targets; a target sees a loopback address as its client's, whatever
`preserve_client_ip` says; and silence ends no connection, as 350 s of it do there.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from typing import TYPE_CHECKING, Any, Final, Self

from rehearsal import forwarding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rehearsal.emulator import Emulator
    from rehearsal.forwarding import Target
    from rehearsal.graph import Registered
    from rehearsal.tree import Tree

_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_LISTENER: Final = "aws:lb/listener:Listener"
_TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
_LOOKED_EVERY: Final = 0.5
"""Seconds between two looks at whether a target is still there, where its going ends connections."""
_DELAY: Final = 300
"""Seconds for which a target that is taken out keeps its connections, where the program does not say: AWS's default."""


class NetworkBalancerError(Exception):
    """A listener cannot be opened on this machine."""


class NetworkBalancers:
    """The listeners of one deployed stack. Its block's end closes them, and every connection."""

    addresses: dict[str, Sequence[str]]
    """DNS name of a load balancer → its addresses."""

    def __init__(self, emulator: Emulator, address_of: Callable[[str], str]) -> None:
        """Lead to the targets that *emulator* knows; *address_of* gives each who asks a loopback address of its own."""
        self.addresses = {}
        self._emulator, self._address_of = emulator, address_of
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all, with no thread left."""
        self._closing.close()

    def open(self, tree: Tree) -> None:
        """Open the listeners of *tree*'s network load balancers, each on all addresses of its own.

        Raises:
            NetworkBalancerError: a port is taken, or not for everybody to open.

        """
        groups = {each.outputs["arn"]: each for each in tree.of(_TARGET_GROUP)}
        ways: list[tuple[socket.socket, _Way]] = []
        for balancer, listeners in declared(tree):
            zones = len(balancer.inputs.get("subnets") or balancer.inputs["subnetMappings"])
            addresses = [self._address_of(f"{balancer.urn} {zone}") for zone in range(zones)]
            for listener in (each for each in listeners if not _why_not(each)):
                way = _Way(self._emulator, groups[_group_of(listener)])
                for address in addresses:
                    heard = _listen(balancer.name, address, int(listener.inputs["port"]))
                    ways.append((self._closing.enter_context(heard), way))
            self.addresses[str(balancer.outputs["dnsName"]).lower()] = addresses
        if ways:
            self._closing.enter_context(forwarding.forwarded(ways))


def not_open(tree: Tree) -> list[tuple[str, str]]:
    """Return the logical name of each listener of *tree*'s network load balancers that is not opened, and why."""
    found = [(each.name, _why_not(each)) for _, listeners in declared(tree) for each in listeners]
    return [(name, why) for name, why in found if why]


def declared(tree: Tree) -> list[tuple[Registered, list[Registered]]]:
    """Return the network load balancers, each with its listeners."""
    return [
        (each, [it for it in tree.of(_LISTENER) if it.inputs["loadBalancerArn"] == each.outputs.get("arn")])
        for each in tree.of(_BALANCER)
        if each.inputs.get("loadBalancerType") == "network"
    ]


def _why_not(listener: Registered) -> str:
    """Return why nothing is passed on from a *listener*; empty if it is."""
    protocol = listener.inputs.get("protocol", "")
    if protocol != "TCP":
        return f"{protocol} is not spoken"
    return "" if _group_of(listener) else "it leads to more than one target group"


def _group_of(listener: Registered) -> str:
    """Return the ARN of the one target group that *listener* leads to; empty if there are more."""
    action: dict[str, Any] = listener.inputs["defaultActions"][0]
    groups: list[dict[str, Any]] = action.get("forward", {}).get("targetGroups", [])
    return str(action.get("targetGroupArn") or (groups[0]["arn"] if len(groups) == 1 else ""))


def _listen(name: str, address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port))
    except OSError as error:
        raise NetworkBalancerError(
            f"network load balancer {name!r} cannot listen on {address}:{port}: {error.strerror}; give its listener a "
            "port that is free here, and above 1023 unless root rehearses"
        ) from error


class _Way:
    """To the targets of one group, in turn."""

    def __init__(self, emulator: Emulator, group: Registered) -> None:
        self.announces = bool(group.inputs.get("proxyProtocolV2"))
        self._terminates = bool(group.inputs.get("connectionTermination"))
        self._delay = float(group.inputs.get("deregistrationDelay", _DELAY))
        self._arn = group.outputs["arn"]
        self._elb: Any = emulator.client("elbv2")
        self._turns = itertools.count()

    async def target(self) -> Target | None:
        """Choose a healthy one; where none is, one of all, as AWS does.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
        """
        there = await self._there()
        targets = [target for target, healthy in there.items() if healthy] or [*there]
        return targets[next(self._turns) % len(targets)] if targets else None

    async def gone(self, target: Target) -> None:
        """Return some time after *target* was taken out, as the program says; it may say that connections last."""
        if not self._terminates:
            await asyncio.Event().wait()
        while target in await self._there():  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(_LOOKED_EVERY)
        await asyncio.sleep(self._delay)

    async def _there(self) -> dict[Target, bool]:
        """Return the targets that are registered now, and whether each is healthy."""
        found: dict[str, Any] = await asyncio.to_thread(self._elb.describe_target_health, TargetGroupArn=self._arn)
        return {
            (each["Target"]["Id"], int(each["Target"]["Port"])): each["TargetHealth"]["State"] == "healthy"
            for each in found["TargetHealthDescriptions"]
        }
