"""One setting changes how the agents are found: the whole difference of what the whole program registers, five times.

`python benchmarks/discovery_changes.py` prints it.
"""

from __future__ import annotations

import itertools
import json
from typing import Final

import pytest

from benchmarks.discovery_changes import WAYS, Change, change, deployed, inventory, main
from tests.whole import deployed as as_it_stands

NLB: Final = {
    "Discovery/ec2.SecurityGroup workflow-agent-nlb",
    "Discovery/lb.Listener workflow-agent-nlb-50051",
    "Discovery/lb.LoadBalancer workflow-agent-nlb",
    "Discovery/lb.TargetGroup workflow-agent-nlb-50051",
    "Discovery/vpc.SecurityGroupEgressRule workflow-agent-from-nlb",
    "Discovery/vpc.SecurityGroupIngressRule workflow-agent-from-nlb",
    "Service/vpc.SecurityGroupEgressRule workflow-gateway-to-workflow-agent-nlb",
    "Service/vpc.SecurityGroupIngressRule workflow-gateway-to-workflow-agent-nlb",
}
STRAIGHT: Final = {
    "Service/vpc.SecurityGroupEgressRule workflow-gateway-to-workflow-agent",
    "Service/vpc.SecurityGroupIngressRule workflow-gateway-to-workflow-agent",
}
NAMESPACE: Final = {"Discovery/servicediscovery.PrivateDnsNamespace workflow-agent"}
CLOUD_MAP: Final = {"Discovery/servicediscovery.Service workflow-agent", "Task/iam.RolePolicy workflow-gateway-task"}
ALB: Final = {
    "Discovery/lb.ListenerRule workflow-agent-grpc",
    "Discovery/lb.TargetGroup workflow-agent-grpc",
    "Discovery/vpc.SecurityGroupEgressRule workflow-agent-from-alb",
    "Discovery/vpc.SecurityGroupIngressRule workflow-agent-from-alb",
    "Service/vpc.SecurityGroupEgressRule workflow-gateway-to-workflow-agent-alb",
    "Service/vpc.SecurityGroupIngressRule workflow-gateway-to-workflow-agent-alb",
}
LATTICE: Final = {
    "Discovery/ec2.SecurityGroup workflow-agent-lattice",
    "Discovery/vpc.SecurityGroupIngressRule workflow-agent-from-lattice",
    *(
        f"Discovery/vpclattice.{kind} workflow-agent"
        for kind in (
            "AuthPolicy",
            "Listener",
            "Service",
            "ServiceNetwork",
            "ServiceNetworkServiceAssociation",
            "ServiceNetworkVpcAssociation",
            "TargetGroup",
        )
    ),
    "Service/iam.Role workflow-agent-infrastructure",
    "Service/iam.RolePolicy workflow-agent-infrastructure",
    "Service/vpc.SecurityGroupEgressRule workflow-gateway-to-workflow-agent-lattice",
    "Service/vpc.SecurityGroupIngressRule workflow-gateway-to-workflow-agent-lattice",
}
ADDRESS: Final = {"Service/vpc.SecurityGroupEgressRule workflow-gateway-to-workflow-agent-address"}


def differs(gone: set[str], come: set[str], *, agent: set[str], gateway: set[str], told: set[str]) -> Change:
    """Return the difference in which both services change so, and the gateway is *told* other variables."""
    said = {f"containerDefinitions.api-gateway.environment.WORKFLOW_SERVICE_{each}" for each in told}
    return Change(
        gone=frozenset(gone),
        come=frozenset(come),
        other={
            "Service/ecs.Service workflow-agent": frozenset(agent),
            # Another definition is another revision, which its service takes.
            "Service/ecs.Service workflow-gateway": frozenset({"taskDefinition", *gateway}),
            "Task/ecs.TaskDefinition workflow-gateway": frozenset(said),
        },
    )


CHANGES: Final = {
    ("cloud_map nlb", "service_connect"): differs(
        NLB | CLOUD_MAP,
        set(),
        agent={
            "serviceRegistries",
            "loadBalancers",
            "healthCheckGracePeriodSeconds",
            "serviceConnectConfiguration",
        },
        gateway={"serviceConnectConfiguration"},
        told={"NAMESPACE", "NAME", "FALLBACK_HOST"},
    ),
    ("service_connect", "nlb"): differs(
        NAMESPACE | STRAIGHT,
        NLB,
        agent={"serviceConnectConfiguration", "loadBalancers", "healthCheckGracePeriodSeconds"},
        gateway={"serviceConnectConfiguration"},
        told={"DNS", "HOST"},
    ),
    ("nlb", "alb_grpc"): differs(
        NLB, ALB, agent={"loadBalancers.0.targetGroupArn"}, gateway=set(), told={"HOST", "PORT", "TLS"}
    ),
    ("alb_grpc", "lattice"): differs(
        ALB, LATTICE, agent={"loadBalancers", "vpcLatticeConfigurations"}, gateway=set(), told={"HOST"}
    ),
    ("lattice", "address"): differs(
        LATTICE,
        ADDRESS,
        agent={"vpcLatticeConfigurations", "healthCheckGracePeriodSeconds"},
        gateway=set(),
        told={"HOST", "PORT", "TLS"},
    ),
}


@pytest.mark.parametrize(("old", "new"), list(CHANGES))
def test_only_what_must_change_changes(old: str, new: str) -> None:
    """Two services, one task definition, and what each way is made of; of all the rest not one input."""
    assert change(old, new) == CHANGES[old, new]


@pytest.mark.parametrize(("old", "new"), list(CHANGES))
def test_the_way_back_is_the_same_way(old: str, new: str) -> None:
    """A setting that is taken back leaves nothing behind."""
    there, back = change(old, new), change(new, old)
    assert (back.gone, back.come, back.other) == (there.come, there.gone, there.other)


def test_it_is_the_whole_program() -> None:
    """All workloads and the platform: a difference of fewer would not see what else a setting moves."""
    titles = inventory(WAYS[0]).keys()
    # But for the domain, which adds a certificate's listener and its way in.
    assert len(titles) >= sum(each.custom or each.remote for each in as_it_stands("dev").graph)
    for each in ("parking-etl", "query-service", "workflow-agent", "dev-internal"):
        assert any(title.endswith(f" {each}") for title in titles), each


def test_every_way_is_run_once() -> None:
    """Each of the settings' own words, or a new way would be shown to nobody."""
    assert {way for ways in WAYS for way in ways.split()} == {
        "cloud_map", "service_connect", "nlb", "alb_grpc", "lattice", "address",
    }  # fmt: skip
    assert [deployed(ways).outputs["workloads"]["workflow"]["found_by"] for ways in WAYS] == list(WAYS)
    assert list(CHANGES) == list(itertools.pairwise(WAYS))


def told(ways: str) -> dict[str, str]:
    """Return what the gateway is told of the agents."""
    definitions = json.loads(deployed(ways).one(":TaskDefinition", "workflow-gateway").inputs["containerDefinitions"])
    said = {each["name"]: each["value"] for each in definitions[0]["environment"]}
    prefix = "WORKFLOW_SERVICE_"
    return {name.removeprefix(prefix): value for name, value in said.items() if name.startswith(prefix)}


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        ("service_connect", {"DNS": "workflow-agent.workflow.local", "PORT": "50051"}),
        ("nlb", {"HOST": "Discovery/lb.LoadBalancer workflow-agent-nlb.dnsName", "PORT": "50051"}),
        ("alb_grpc", {"HOST": "internal.example.com", "PORT": "443", "TLS": "1"}),
        ("lattice", {"HOST": "workflow-agent.on.aws", "PORT": "443", "TLS": "1"}),
        ("address", {"HOST": "agents.example.com", "PORT": "50051"}),
    ],
)
def test_the_gateway_is_told_the_right_address_whatever_the_way(ways: str, said: dict[str, str]) -> None:
    assert told(ways) == said


def test_the_command_prints_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    """What goes, what comes, what changes: one line each."""
    main()
    lines = capsys.readouterr().out.splitlines()
    for (old, new), found in CHANGES.items():
        head = f"{old} -> {new}: {len(found.gone)} go, {len(found.come)} come, 3 of"
        assert any(line.startswith(head) for line in lines), head
    assert sum(line.startswith("  - ") for line in lines) == sum(len(each.gone) for each in CHANGES.values())
    assert sum(line.startswith("  + ") for line in lines) == sum(len(each.come) for each in CHANGES.values())
