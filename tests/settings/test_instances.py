"""Machines of a cluster's own: their settings arrive, and what cannot work is told before anything is made."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import pytest
import yaml
from pydantic import Field, TypeAdapter

from components.ec2_instances import Ec2Instances
from components.fargate import InstanceSize
from components.managed_instances import ManagedInstances
from settings import ServiceSettings, SettingsError, WorkloadSettings
from settings.instances import Ec2Settings, Instances, ManagedSettings
from tests.components.samples import NETWORK
from tests.settings.test_reader import ROOT, load

EC2: dict[str, Any] = {
    "kind": "ec2",
    "maximum": 9,
    "minimum": 2,
    "instance_types": ["m7g.large", "m6g.large"],
    "architecture": "ARM64",
    "on_demand_base": 1,
    "on_demand_percent": 50,
    "disk": 40,
    "target_capacity": 90,
    "warmup": 200,
    "open_ports": [443, 5432],
}
MANAGED: dict[str, Any] = {
    "kind": "managed",
    "cpus": [4, 16],
    "memory": [8192, 65536],
    "instance_types": ["m7i.*"],
    "spot": True,
    "disk": 100,
    "open_ports": [443, 8443],
}


def section(said: dict[str, Any]) -> Any:
    return TypeAdapter(Instances).validate_json(json.dumps(said))


def test_every_setting_of_ec2_instances_arrives() -> None:
    """An `on_demand_percent` that nobody passes on is a bill, or a night without machines."""
    said = section(EC2)
    assert set(EC2) == set(Ec2Settings.model_fields)
    made = said.value(NETWORK, balancers=["a balancer"], tags={"Owner": "us"})
    assert {name: getattr(made, name) for name in EC2 if name != "kind"} == said.model_dump(exclude={"kind"})
    assert (made.network, made.balancers, made.tags) == (NETWORK, ["a balancer"], {"Owner": "us"})


def test_every_setting_of_managed_instances_arrives() -> None:
    said = section(MANAGED)
    assert set(MANAGED) == set(ManagedSettings.model_fields)
    made = said.value(NETWORK, tags={"Owner": "us"})
    assert {name: getattr(made, name) for name in MANAGED if name != "kind"} == said.model_dump(exclude={"kind"})
    assert (made.network, made.tags) == (NETWORK, {"Owner": "us"})


def test_what_is_left_out_is_as_the_components_have_it() -> None:
    """Two places for one default would differ in one."""
    assert section({"maximum": 3}).value(NETWORK) == Ec2Instances(network=NETWORK, maximum=3)
    assert section({"kind": "managed"}).value(NETWORK) == ManagedInstances(network=NETWORK)


GENERAL = {"general": {"maximum": 4}}
BRIDGE: dict[str, Any] = {"capacity": [{"provider": "general"}], "network_mode": "bridge"}
PATCHED: dict[str, Any] = {"capacity": [{"provider": "patched"}]}
BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a kind that there is not": (
        {"instances": {"general": {"kind": "spot"}}},
        {},
        "cluster.instances.general: got {'kind': 'spot'}; with a `kind` that is one of 'ec2' or 'managed'",
    ),
    "instances without a bound": ({"instances": {"general": {}}}, {}, "instances.general.maximum: missing"),
    "none at all": (
        {"instances": {"general": {"maximum": 0}}},
        {},
        "instances.general: Ec2Instances.maximum: got 0; a",
    ),
    "more kept than allowed": (
        {"instances": {"general": {"maximum": 2, "minimum": 3}}},
        {},
        "Ec2Instances.minimum: got 3; a whole number from 0 to 2 instances",
    ),
    "another architecture's type": (
        {"instances": {"general": {"maximum": 2, "instance_types": ["m7g.large"]}}},
        {},
        "Ec2Instances.instance_types: got 'm7g.large'; processors of the architecture X86_64",
    ),
    "a misspelt setting of theirs": (
        {"instances": {"general": {"maximum": 2, "warmpu": 3}}},
        {},
        "cluster.instances.general.warmpu: no such setting; did you mean 'warmup'?",
    ),
    "a setting of the other kind": (
        {"instances": {"patched": {"kind": "managed", "maximum": 3}}},
        {},
        "cluster.instances.patched.maximum: no such setting; there are cpus, disk, instance_types, kind, memory",
    ),
    "ports by which no instance joins its cluster": (
        {"instances": {"general": {"maximum": 2, "open_ports": [5432]}}},
        {},
        "general: Ec2Instances.open_ports: got [5432]; TCP ports from 1 to 65535, each once, and 443 among them",
    ),
    "a processor that no task of theirs is for": (
        {"instances": {"patched": {"kind": "managed", "instance_types": ["m7g.large"]}}},
        {},
        "patched: ManagedInstances.instance_types: got 'm7g.large'; processors of the architecture X86_64",
    ),
    "more processors than any of its instances has": (
        {"instances": {"patched": {"kind": "managed", "cpus": [2, 2], "memory": [4096, 65536]}}},
        {**PATCHED, "size": {"cpu": 16384, "memory": 32768}},
        "query-service.size.cpu: got 16384; 'patched' has instances of 2 vCPU at the most (its `cpus`)",
    ),
    "all the memory that its largest instance has": (
        {"instances": {"patched": {"kind": "managed", "memory": [4096, 8192]}}},
        {**PATCHED, "size": {"cpu": 1024, "memory": 8192}},
        "query-service.size.memory: got 8192; 'patched' has instances of 8192 MiB at the most (its `memory`), some of",
    ),
    "a name that ECS keeps": ({"instances": {"fargate-like": {"maximum": 2}}}, {}, "got 'fargate-like'; small letters"),
    "a name too long": (
        {"instances": {"a" * 60: {"maximum": 2}}},
        {},
        "role name: got 'dev-" + "a" * 60 + "-infrastructure'; at most 56 characters",
    ),
    "a default on what is not there": (
        {"capacity": [{"provider": "general"}]},
        {},
        "cluster.capacity: got 'general'; one of 'FARGATE', 'FARGATE_SPOT', or add `general` to `cluster: {instances:",
    ),
    "a service on what is not there": (
        {"instances": GENERAL},
        {"capacity": [{"provider": "genral"}]},
        "query-service.capacity: got 'genral'; one of 'FARGATE', 'FARGATE_SPOT', 'general', or add",
    ),
    "Fargate and instances at once": (
        {"instances": GENERAL},
        {"capacity": [{"provider": "FARGATE"}, {"provider": "general"}]},
        "query-service.capacity.capacity: got ['FARGATE', 'general']; Fargate's providers or instances",
    ),
    "two kinds of machine at once": (
        {"instances": {**GENERAL, "patched": {"kind": "managed"}}},
        {"capacity": [{"provider": "general"}, {"provider": "patched"}]},
        "capacity: got general (EC2 X86_64), patched (MANAGED_INSTANCES X86_64); machines of one kind",
    ),
    "two kinds of processor at once": (
        {"instances": {**GENERAL, "arm": {"maximum": 2, "architecture": "ARM64", "instance_types": ["m7g.large"]}}},
        {"capacity": [{"provider": "general"}, {"provider": "arm"}]},
        "capacity: got arm (EC2 ARM64), general (EC2 X86_64); machines of one kind",
    ),
    "a bridge on Fargate": (
        {"instances": GENERAL},
        {"network_mode": "bridge"},
        "`capacity: [{provider: ...}]` with EC2 instances of the cluster, of which there are general",
    ),
    "a bridge where there are no instances": ({}, {"network_mode": "host"}, "there are none yet: add some to `cluster"),
    "a bridge on Managed Instances": (
        {"instances": {"patched": {"kind": "managed"}}},
        {**BRIDGE, "capacity": [{"provider": "patched"}]},
        "network_mode: got 'bridge' on MANAGED_INSTANCES",
    ),
    "a placement on Fargate": (
        {},
        {"placement": {"distinct_instances": True}},
        "placement: got 'a placement' on FARGATE",
    ),
    "a bridge on two kinds": (
        {"instances": {**GENERAL, "spare": {"maximum": 2}}},
        {**BRIDGE, "capacity": [{"provider": "general"}, {"provider": "spare"}]},
        "capacity: got general, spare in mode 'bridge'; one of them",
    ),
    "a host port without a bridge": ({}, {"host_port": 80}, "host_port: got 80; none in mode 'awsvpc'"),
    "a host port that others have": (
        {"instances": GENERAL},
        {**BRIDGE, "host_port": 22},
        "host_port: got 22; 1 to 32767",
    ),
    "more tasks than instances for a port": (
        {"instances": GENERAL},
        {**BRIDGE, "host_port": 80, "desired_count": 3},
        "host_port: got 80, which is once on an instance; 'general' has 4 of them at the most, and a rollout has 6",
    ),
    "requests that are shifted between the ports of instances": (
        {"instances": GENERAL},
        {**BRIDGE, "deployment": "canary"},
        "query-service.network_mode: got 'bridge' with deployment 'canary'; 'awsvpc', since requests are shifted",
    ),
    "a placement that ECS has not": (
        {"instances": GENERAL},
        {**BRIDGE, "placement": {"strategies": [{"kind": "binpack"}]}},
        "placement.strategies.0: Strategy.by: got None; 'cpu' or 'memory', for binpack",
    ),
    "a size that Fargate has not": (
        {},
        {"size": {"cpu": 1024, "memory": 1024}},
        "size: size.memory: got 1024; with 1024",
    ),
    "a size that nothing has": (
        {},
        {"size": {"cpu": 64, "memory": 512}},
        "size: InstanceSize.cpu: got 64; a whole number",
    ),
}


def stack_file(cluster: dict[str, Any], **services: dict[str, Any]) -> dict[str, Any]:
    """Return dev's settings, with that *cluster* and nothing but those services."""
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    image = {"image": {"build": True}}
    sections = {name.replace("_", "-"): {**image, "desired_count": 1, **said} for name, said in services.items()}
    return {**config, "drydock:cluster": cluster, "drydock:workloads": sections}


@pytest.mark.parametrize(("cluster", "service", "says"), BAD.values(), ids=BAD.keys())
def test_what_cannot_run_is_told_with_what_would_do(
    cluster: dict[str, Any], service: dict[str, Any], says: str
) -> None:
    """AWS would answer some of it half-way, and leave the rest waiting for a machine for ever."""
    with pytest.raises(SettingsError) as refused:
        load(stack_file(cluster, query_service=service))
    assert says in str(refused.value)
    assert "1 setting of this stack" in str(refused.value)


class Shop(WorkloadSettings):
    """A workload of several services, one by its own key and the others by what they are called."""

    till: ServiceSettings | None = None
    each: dict[str, ServiceSettings] = Field(default_factory=dict[str, ServiceSettings])


@pytest.mark.parametrize(
    ("shop", "path"),
    [(lambda said: {"till": said}, "till"), (lambda said: {"each": {"stall": said}}, "each.stall")],
    ids=["by its own key", "among others"],
)
def test_one_host_port_of_two_services_is_refused_wherever_they_are(shop: Any, path: str) -> None:
    """One instance could not run both, and each would wait for the other to go."""
    said = {**BRIDGE, "host_port": 80, "image": {"build": True}, "desired_count": 1}
    config = stack_file({"instances": GENERAL}, hello=said)
    sections: Any = {**config["drydock:workloads"], "shop": shop(said)}
    with pytest.raises(SettingsError) as refused:
        load({**config, "drydock:workloads": sections}, known={"hello": ServiceSettings, "shop": Shop})
    told = f"workloads.shop.{path}.host_port: got 80; another one: workloads.hello has it on 'general' too"
    assert told in str(refused.value)


class Listening(ServiceSettings):
    """A service whose code says where it listens."""

    listens_on: ClassVar[tuple[int, ...]] = (8080,)


def on_host(**services: dict[str, Any]) -> str:
    """Return what is told of services in mode `host`, each listening on one port."""
    said = {name: {**BRIDGE, "network_mode": "host", **service} for name, service in services.items()}
    with pytest.raises(SettingsError) as refused:
        load(stack_file({"instances": GENERAL}, **said), known=dict.fromkeys(("hello", "query-service"), Listening))
    return str(refused.value)


def test_two_services_that_listen_on_one_port_of_their_host_are_refused() -> None:
    """The second would wait for an instance of its own, and for ever once there are no more."""
    told = "query-service.network_mode: got 'host', by which it has port 8080; another one: workloads.hello has it on"
    assert told in on_host(hello={}, query_service={})


def test_a_service_on_its_hosts_port_is_once_on_an_instance() -> None:
    told = on_host(hello={"desired_count": 3})
    assert "hello.network_mode: got 'host', by which it has port 8080, which is once on an instance; 'general'" in told


def test_one_host_port_on_other_instances_is_no_clash() -> None:
    said = {**BRIDGE, "host_port": 80}
    apart = {**said, "capacity": [{"provider": "spare"}]}
    cluster = {"instances": {**GENERAL, "spare": {"maximum": 2}}}
    assert load(stack_file(cluster, hello=said, query_service=apart)).cluster.ec2_names() == ["general", "spare"]


def test_a_size_on_instances_is_any() -> None:
    """1 vCPU and 1 GiB is no pair of Fargate's."""
    service = {**BRIDGE, "size": {"cpu": 1024, "memory": 1024}}
    ((path, said),) = load(stack_file({"instances": GENERAL}, hello=service)).workloads.services()
    assert (path, said.size.value("EC2")) == ("workloads.hello", InstanceSize(1024, 1024))


def test_what_the_docs_write_can_be_read() -> None:
    """A reader copies it."""
    text = (ROOT / "docs" / "capacity.md").read_text()
    cluster, service = (yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    loaded = load(stack_file(cluster["drydock:cluster"], hello=service))
    assert sorted(loaded.cluster.instances) == ["arm", "general", "patched"]
    ((_, said),) = loaded.workloads.services()
    assert (said.host_port, said.network_mode) == (80, "bridge")
