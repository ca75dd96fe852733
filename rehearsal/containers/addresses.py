"""Loopback addresses: each task has one of its own, as it has in a VPC, and so has a network load balancer."""

from __future__ import annotations

import random
import socket
import threading

from rehearsal.containers.container import ContainerError


class Addresses:
    """The addresses of one run, each given to one owner."""

    def __init__(self) -> None:
        """Begin at random, so that two rehearsals on one machine do not meet."""
        second, third = random.randint(1, 254), random.randint(0, 255)  # noqa: S311 - nothing is kept secret by it
        self._free = (f"127.{second}.{(third + more) % 256}.{last}" for more in range(256) for last in range(2, 255))
        self._given: dict[str, str] = {}
        self._lock = threading.Lock()

    def of(self, owner: str) -> str:
        """Return the address that is *owner*'s alone.

        Raises:
            ContainerError: this machine does not have it.

        """
        with self._lock:
            if owner not in self._given:
                self._given[owner] = _bindable(next(self._free))
            return self._given[owner]


def _bindable(address: str) -> str:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise ContainerError(
                f"the address {address} cannot be bound: {error.strerror}; Linux has all of 127.0.0.0/8, other "
                f"systems need it said (macOS: sudo ifconfig lo0 alias {address})"
            ) from error
    return address
