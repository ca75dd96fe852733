"""How a service is found is one setting, and each way's numbers stand beside it."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from pydantic import ValidationError

from components.discovery import Address, AlbGrpc, CloudMap, Lattice, Nlb, ServiceConnect
from components.network_load_balancer import TcpHealth
from settings import DiscoverySettings


def ways(**said: Any) -> tuple[Any, ...]:
    return DiscoverySettings.model_validate({key: tuple(v) if key == "ways" else v for key, v in said.items()}).value(
        mock.Mock
    )


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({}, CloudMap(ttl=10)),
        ({"ways": ["cloud_map"], "cloud_map": {"ttl": 5}}, CloudMap(ttl=5)),
        (
            {"ways": ["service_connect"], "service_connect": {"idle_timeout": 1, "request_timeout": 2}},
            ServiceConnect(idle_timeout=1, request_timeout=2),
        ),
        (
            {
                "ways": ["nlb"],
                "nlb": {
                    "health_interval": 20,
                    "health_timeout": 3,
                    "healthy": 4,
                    "unhealthy": 5,
                    "deregistration_delay": 60,
                    "cross_zone": False,
                },
            },
            Nlb(
                health=TcpHealth(interval=20, timeout=3, healthy=4, unhealthy=5),
                deregistration_delay=60,
                cross_zone=False,
            ),
        ),
        (
            {"ways": ["lattice"], "lattice": {"prefix_list_id": "pl-0721453c7ac4ec009", "signed": True}},
            Lattice(prefix_list_id="pl-0721453c7ac4ec009", signed=True),
        ),
        (
            {"ways": ["address"], "address": {"host": "a.example.com", "port": 1, "tls": True}},
            Address(host="a.example.com", port=1, tls=True),
        ),
    ],
)
def test_a_ways_numbers_reach_it(said: dict[str, Any], way: Any) -> None:
    """One that is read and goes nowhere would look as if it did something."""
    assert ways(**said) == (way,)


def test_ways_keep_their_order() -> None:
    """It is the order in which clients try them."""
    assert [type(each) for each in ways(ways=["cloud_map", "nlb"])] == [CloudMap, Nlb]


def test_a_route_is_claimed_by_alb_grpc_alone() -> None:
    """Claimed otherwise, it would keep requests from whoever has them."""
    route = mock.Mock()
    assert isinstance(DiscoverySettings(ways=("alb_grpc",)).value(route)[0], AlbGrpc)
    DiscoverySettings(ways=("nlb",)).value(route)
    route.assert_called_once()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"ways": []}, "got []; one way"),
        ({"ways": ["nlb", "cloud_map"]}, "got ['nlb', 'cloud_map']; one way"),
        ({"ways": ["cloud_map", "service_connect"]}, "one way, or cloud_map or service_connect and then nlb"),
        ({"ways": ["app_mesh"]}, "Input should be 'cloud_map'"),
        ({"ways": ["lattice"]}, "ways: got lattice; say what it must know, under `lattice`"),
        ({"ways": ["address"]}, "ways: got address; say what it must know, under `address`"),
        ({"lattice": {"prefix_list_id": "mine"}}, "got 'mine'; an id such as"),
        ({"cloud_map": {"ttl": -1}}, "greater than or equal to 0"),
        ({"nlb": {"health_interval": 10}}, "TcpHealth.timeout: got 10; under the interval, 10 s"),
        ({"nlb": {"deregistration_delay": 3601}}, "Nlb.deregistration_delay: got 3601"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_read(said: dict[str, Any], message: str) -> None:
    """All errors of a stack file are said at once, before anything is made."""
    with pytest.raises(ValidationError) as refused:
        ways(**said)
    assert message in str(refused.value)


def test_grpc_by_a_load_balancer_needs_its_domain() -> None:
    """It speaks TLS alone, and the certificate is for a name."""
    found, other = DiscoverySettings(ways=("alb_grpc",)), DiscoverySettings()
    for balancer in (None, mock.Mock(domain=None)):
        stack = mock.Mock(internal_load_balancer=balancer)
        assert "add `domain` to `internal_load_balancer`" in next(iter(found.problems(stack)))
        assert not list(other.problems(stack))
    assert not list(found.problems(mock.Mock(internal_load_balancer=mock.Mock(domain="a.example.com"))))
