"""What a stack file may say of workflow: what cannot work is told before anything is made."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.workflow import Settings
from settings import SettingsError
from tests.settings.test_reader import load

PROD: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "Pulumi.prod.yaml").read_text())["config"]
del PROD["drydock:public_load_balancer"]  # it has an internal one alone, so that the other can be missed
BUILT: dict[str, Any] = {"image": {"build": True}}


def read(said: dict[str, Any]) -> Settings:
    """Return the section that says *said* beside its two images, of a stack that has no other workload."""
    section = {"agent": BUILT, "gateway": BUILT, **said}
    for part in ("agent", "gateway"):
        section[part] = {**BUILT, **section[part]}
    config = {**copy.deepcopy(PROD), "drydock:workloads": {"workflow": section}}
    (found,) = (each for _, each in load(config, known={"workflow": Settings}).workloads.each())
    assert isinstance(found, Settings)
    return found


def complaint(said: dict[str, Any]) -> list[str]:
    """Return what is told of it, one line for each setting."""
    with pytest.raises(SettingsError) as refused:
        read(said)
    _, *lines = str(refused.value).splitlines()
    return [line.strip().removeprefix("drydock:workloads.workflow.") for line in lines]


def test_what_nobody_says_is_the_workloads_own() -> None:
    """Found by Cloud Map and then the NLB, with DNS answers of ten seconds; streams take the time they take."""
    section = read({})
    assert (section.discovery.ways, section.discovery.cloud_map.ttl) == (("cloud_map", "nlb"), 10)
    assert section.discovery.service_connect.request_timeout == 0
    assert section.namespace == "workflow.local"
    assert (section.agent.size.cpu, section.agent.size.memory, section.agent.desired_count) == (512, 1024, 2)
    assert section.gateway.request_timeout == 30


_ORDER = "one way, or cloud_map or service_connect and then nlb"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no image of the agent": ({"agent": {"image": {}}}, "agent.image: say one of `build: true` and `digest: sha256:"),
    "no image of the gateway": ({"gateway": {"image": {}}}, "gateway.image: say one of `build: true` and `digest:"),
    "two images of one": (
        {"agent": {"image": {"build": True, "digest": "sha256:" + "a" * 64}}},
        "agent.image: say one of `build: true` and `digest:",
    ),
    "less memory than its CPU must have": (
        {"agent": {"size": {"cpu": 512, "memory": 512}}},
        "agent.size: size.memory: got 512; with 512 CPU units Fargate has 1024",
    ),
    "CPU units that Fargate has not": (
        {"gateway": {"size": {"cpu": 300, "memory": 512}}},
        "gateway.size: size.cpu: got 300; CPU units that Fargate has: 256",
    ),
    "agents that grow by requests, which nobody counts": (
        {"agent": {"scaling": {"minimum": 2, "maximum": 4, "requests_per_target": 100}}},
        "agent.scaling.requests_per_target: got 100; leave it out, and hold cpu_percent or memory_percent",
    ),
    "a maximum under the minimum": (
        {"agent": {"scaling": {"minimum": 4, "maximum": 2}}},
        "agent.scaling: Scaling.maximum: got 2",
    ),
    "a count beside its scaling": (
        {"agent": {"scaling": {"minimum": 3, "maximum": 6}, "desired_count": 2}},
        "agent.desired_count: got 2; `scaling` keeps it from 3 to 6",
    ),
    "a rollout that cannot move": (
        {"gateway": {"rollout": {"minimum_healthy_percent": 100, "maximum_percent": 100}}},
        "gateway: Rollout.minimum_healthy_percent: got 100; of 2 task(s) 2 must stay and 2 may run",
    ),
    "agents between whose versions requests are shifted": (
        {"agent": {"deployment": "canary"}},
        "agent.deployment: got 'canary'; 'rolling' without alarms: no load balancer has agents whose requests could",
    ),
    "a port of one's own": ({"agent": {"port": 50052}}, "agent.port: no such setting"),
    "no time for an answer": ({"gateway": {"request_timeout": 0}}, "gateway.request_timeout: got 0; 1 or more"),
    "more time than the load balancer gives": (
        {"gateway": {"request_timeout": 60}},
        "gateway.request_timeout: got 60; 55 or less",
    ),
    "half a second": ({"gateway": {"request_timeout": 1.5}}, "gateway.request_timeout: got 1.5; a whole number"),
    "a load balancer that there is not": (
        {"gateway": {"load_balancer": "both"}},
        "gateway.load_balancer: got 'both'; one of 'internal' or 'public'",
    ),
    "a load balancer that the stack has not": (
        {"gateway": {"load_balancer": "public"}},
        "load_balancer: got 'public', which the stack has not; add `public_load_balancer: {open_to: [0.0.0.0/0]}`",
    ),
    "a namespace in capitals": (
        {"namespace": "Workflow.local"},
        "namespace: got 'Workflow.local'; a domain in lower case, such as 'workflow.local'",
    ),
    "a namespace with the root's dot": ({"namespace": "workflow.local."}, "namespace: got 'workflow.local.'; a domain"),
    "a namespace with a hyphen at an end": ({"namespace": "workflow-.local"}, "namespace: got 'workflow-.local'; a"),
    "a namespace longer than DNS has": (
        {"namespace": ".".join(["a" * 60] * 5)},
        "at most 253 characters, and this has 304",
    ),
    "no way at all": ({"discovery": {"ways": []}}, f"discovery.ways: got []; {_ORDER}"),
    "a way that is no list": ({"discovery": {"ways": "nlb"}}, "discovery.ways: got 'nlb'; a list"),
    "a way that AWS gave up": (
        {"discovery": {"ways": ["app_mesh"]}},
        "discovery.ways.0: got 'app_mesh'; one of 'cloud_map', 'service_connect', 'nlb', 'alb_grpc', 'lattice' or",
    ),
    "ways in the wrong order": (
        {"discovery": {"ways": ["nlb", "cloud_map"]}},
        f"discovery.ways: got ['nlb', 'cloud_map']; {_ORDER}",
    ),
    "ways that go by one name": (
        {"discovery": {"ways": ["cloud_map", "service_connect"]}},
        f"discovery.ways: got ['cloud_map', 'service_connect']; {_ORDER}",
    ),
    "one way twice": ({"discovery": {"ways": ["nlb", "nlb"]}}, f"ways: got ['nlb', 'nlb']; {_ORDER}"),
    "a way with TLS before one without": (
        {"discovery": {"ways": ["lattice", "nlb"], "lattice": {"prefix_list_id": "pl-0721453c7ac4ec009"}}},
        f"discovery.ways: got ['lattice', 'nlb']; {_ORDER}",
    ),
    "three ways": ({"discovery": {"ways": ["cloud_map", "nlb", "nlb"]}}, f"got ['cloud_map', 'nlb', 'nlb']; {_ORDER}"),
    "gRPC by a load balancer without a domain": (
        {"discovery": {"ways": ["alb_grpc"]}},
        "ways: got 'alb_grpc', which speaks TLS alone; add `domain` to `internal_load_balancer`, or choose another",
    ),
    "Lattice without its addresses": (
        {"discovery": {"ways": ["lattice"]}},
        "discovery.ways: got lattice; say what it must know, under `lattice`",
    ),
    "Lattice with an empty section": (
        {"discovery": {"ways": ["lattice"], "lattice": {}}},
        "discovery.lattice.prefix_list_id: missing; it must be said",
    ),
    "Lattice's addresses by name": (
        {"discovery": {"ways": ["lattice"], "lattice": {"prefix_list_id": "vpc-lattice"}}},
        "discovery.lattice.prefix_list_id: got 'vpc-lattice'; an id such as 'pl-",
    ),
    "an address that nobody says": (
        {"discovery": {"ways": ["address"]}},
        "discovery.ways: got address; say what it must know, under `address`",
    ),
    "an address without a port that there is": (
        {"discovery": {"ways": ["address"], "address": {"host": "a.example.com", "port": 0}}},
        "discovery.address.port: got 0; 1 or more",
    ),
    "an answer that DNS may keep for less than no time": (
        {"discovery": {"cloud_map": {"ttl": -1}}},
        "discovery.cloud_map.ttl: got -1; 0 or more",
    ),
    "a check that outlasts its interval": (
        {"discovery": {"nlb": {"health_timeout": 30}}},
        "discovery.nlb: TcpHealth.timeout: got 30; under the interval, 30 s",
    ),
    "a way that is misspelt": ({"discovery": {"nbl": {}}}, "discovery.nbl: no such setting; did you mean 'nlb'?"),
    "a part that is misspelt": ({"agents": BUILT}, "agents: no such setting; did you mean 'agent'?"),
}


@pytest.mark.parametrize(("said", "told"), BAD.values(), ids=BAD.keys())
def test_a_bad_setting_is_named_with_what_would_do(said: dict[str, Any], told: str) -> None:
    """Each would otherwise fail in AWS half-way, or be found by nobody."""
    (line,) = complaint(said)
    assert told in line


def test_what_only_code_knows_of_a_part_is_told_of_its_settings_at_once() -> None:
    """The components would say the same one run at a time, of arguments that no stack file has."""
    bridge = {**BUILT, "capacity": [{"provider": "general"}], "network_mode": "bridge"}
    config = {
        **copy.deepcopy(PROD),
        "drydock:cluster": {"instances": {"general": {"maximum": 9}}},
        "drydock:workloads": {"workflow": {"agent": {**bridge, "deployment": {"alarms": True}}, "gateway": bridge}},
    }
    with pytest.raises(SettingsError) as refused:
        load(config, known={"workflow": Settings})
    _, *lines = str(refused.value).splitlines()
    assert [line.strip().removeprefix("drydock:workloads.workflow.") for line in lines] == [
        "agent.network_mode: got 'bridge'; 'awsvpc': its tasks are found by their addresses",
        (
            "agent.deployment: got 'rolling'; 'rolling' without alarms: no load balancer has agents whose requests "
            "could be shifted or watched"
        ),
        "gateway.network_mode: got 'bridge'; 'awsvpc': its tasks are let in to the agents by their own security group",
    ]


def test_ten_errors_are_told_at_once() -> None:
    """One error a run would be ten runs; and both containers' are among them."""
    lines = complaint(
        {
            "agent": {"size": {"cpu": 1, "memory": 1}, "desired_count": -1, "port": 1},
            "gateway": {"request_timeout": 0, "load_balancer": "both", "log_retention_days": 31},
            "namespace": "Workflow",
            "discovery": {"ways": ["app_mesh"], "cloud_map": {"ttl": -1}, "nlb": {"healthy": 1}},
        }
    )
    assert sorted(line.split(":")[0] for line in lines) == [
        "agent.desired_count",
        "agent.port",
        "agent.size",
        "discovery.cloud_map.ttl",
        "discovery.nlb",
        "discovery.ways.0",
        "gateway.load_balancer",
        "gateway.log_retention_days",
        "gateway.request_timeout",
        "namespace",
    ]


def test_what_both_parts_need_of_the_stack_is_told_of_both() -> None:
    """ECS Exec without a record of it; each of the two says so by its own name."""
    config = {
        **copy.deepcopy(PROD),
        "drydock:cluster": {"exec_audit": False},
        "drydock:workloads": {
            "workflow": {part: {**BUILT, "execute_command": True} for part in ("agent", "gateway")},
        },
    }
    with pytest.raises(SettingsError) as refused:
        load(config, known={"workflow": Settings})
    for part in ("agent", "gateway"):
        assert f"drydock:workloads.workflow.{part}.execute_command: got True; needs" in str(refused.value)


@pytest.mark.parametrize("domain", [{}, {"domain": {"name": "internal.example.com", "zone_id": "Z0123456789A"}}])
def test_grpc_by_a_load_balancer_takes_a_domain(domain: dict[str, Any]) -> None:
    """It speaks TLS alone, and no certificate fits the name that AWS gives."""
    config = {
        **copy.deepcopy(PROD),
        "drydock:internal_load_balancer": {"open_to": ["vpc"], **domain},
        "drydock:workloads": {"workflow": {"agent": BUILT, "gateway": BUILT, "discovery": {"ways": ["alb_grpc"]}}},
    }
    if domain:
        assert load(config, known={"workflow": Settings}).internal_load_balancer
        return
    with pytest.raises(SettingsError, match="alb_grpc"):
        load(config, known={"workflow": Settings})
