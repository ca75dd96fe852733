"""Instances that could not be launched, or would not be counted right, are refused before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError
from tests.components.samples import NETWORK


@pytest.mark.parametrize("kind", ["m7g.large", "c7gn.2xlarge", "t4g.medium", "im4gn.large", "a1.large", "g5g.xlarge"])
def test_types_with_processors_of_awss_own_are_for_arm(kind: str) -> None:
    """The image is for one architecture: an instance of the other never starts, at night, when it is scaled out to."""
    Ec2Instances(network=NETWORK, maximum=1, instance_types=(kind,), architecture="ARM64")
    with pytest.raises(InvalidArgsError, match=f"got '{kind}'; processors of the architecture X86_64"):
        Ec2Instances(network=NETWORK, maximum=1, instance_types=(kind,))


@pytest.mark.parametrize(
    "kind", ["m6i.large", "g4dn.xlarge", "t3a.small", "m7i-flex.large", "u-6tb1.metal", "i3en.metal-24xl"]
)
def test_others_are_not(kind: str) -> None:
    """A `g` before the generation is a graphics card's."""
    Ec2Instances(network=NETWORK, maximum=1, instance_types=(kind,))
    with pytest.raises(InvalidArgsError, match="processors of the architecture ARM64"):
        Ec2Instances(network=NETWORK, maximum=1, instance_types=(kind,), architecture="ARM64")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"maximum": 0}, "Ec2Instances.maximum: got 0; a whole number from 1 to 1000 instances"),
        ({"minimum": 3}, "Ec2Instances.minimum: got 3; a whole number from 0 to 2 instances"),
        ({"on_demand_base": 3}, "Ec2Instances.on_demand_base: got 3"),
        ({"on_demand_percent": 101}, "Ec2Instances.on_demand_percent: got 101"),
        ({"disk": 29}, "Ec2Instances.disk: got 29; a whole number from 30 to 16384 GiB"),
        ({"target_capacity": 0}, "Ec2Instances.target_capacity: got 0; a whole number from 1 to 100 percent"),
        ({"warmup": 10_001}, "Ec2Instances.warmup: got 10001"),
        ({"architecture": "ARM"}, "Ec2Instances.architecture: got 'ARM'"),
        ({"instance_types": ()}, "Ec2Instances.instance_types: got []; from 1 to 40 instance types"),
        ({"instance_types": ("m6i.large", "m6i.large")}, "each once"),
        ({"instance_types": ("large",)}, "Ec2Instances.instance_types: got 'large'; instance types, such as"),
        ({"open_ports": ()}, "Ec2Instances.open_ports: got []; TCP ports from 1 to 65535, each once, and 443 among"),
        ({"open_ports": (5432,)}, "Ec2Instances.open_ports: got [5432]; "),
        ({"open_ports": (443, 0)}, "Ec2Instances.open_ports: got [443, 0]; "),
        ({"open_ports": (443, -1)}, "Ec2Instances.open_ports: got [443, -1]; "),
        ({"open_ports": (443, 65536)}, "Ec2Instances.open_ports: got [443, 65536]; "),
        ({"open_ports": (443, 443)}, "Ec2Instances.open_ports: got [443, 443]; "),
    ],
)
def test_a_bound_that_is_broken_is_named(said: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        Ec2Instances(**({"network": NETWORK, "maximum": 2} | said))
    assert says in str(refused.value)
