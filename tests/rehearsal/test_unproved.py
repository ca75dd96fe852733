"""What is not proved is said."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from rehearsal.graph import Registered
from rehearsal.tree import Tree
from rehearsal.unproved import CORRECTED, used
from tests.rehearsal.copies import PROJECT


def test_every_correction_of_the_emulator_is_printed_with_the_results() -> None:
    """One that is applied and not told is taken for the emulator's own answer."""
    module = ast.parse((PROJECT / "rehearsal/emulator/corrections.py").read_text())
    (apply,) = [each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == "apply"]
    called = [each.func for each in ast.walk(apply) if isinstance(each, ast.Call)]
    names = [each.id if isinstance(each, ast.Name) else each.attr for each in called]  # type: ignore[attr-defined]
    assert sorted(names) == sorted(CORRECTED)


def told(token: str, **inputs: Any) -> list[str]:
    """Return what is told of one resource beside a network load balancer, which brings its own line."""
    balancer = {"loadBalancerType": "network", "subnets": ["a"]}
    graph = [
        Registered(
            urn=f"urn:{each}", type=each, name="talk", parent="", custom=True, inputs=given, outputs={"arn": "arn:talk"}
        )
        for each, given in ((token, inputs), ("aws:lb/loadBalancer:LoadBalancer", balancer))
    ]
    return [each for each in used(Tree(graph, {})) if not each.startswith("of a network load balancer")]


@pytest.mark.parametrize(
    ("token", "inputs", "said"),
    [
        ("aws:ecs/service:Service", {"serviceConnectConfiguration": {"enabled": True}}, "Service Connect"),
        ("aws:ecs/service:Service", {"deploymentConfiguration": {"strategy": "CANARY"}}, "is rolled out instead"),
        ("aws:vpclattice/service:Service", {}, "VPC Lattice"),
        ("aws:apigatewayv2/vpcLink:VpcLink", {}, "VPC links"),
        ("aws:wafv2/webAclAssociation:WebAclAssociation", {}, "web ACLs"),
        ("aws:rds/instance:Instance", {}, "RDS's own doings"),
        ("aws:route53/record:Record", {}, "hosted zones: each is an empty one made here"),
        ("aws:lb/targetGroup:TargetGroup", {"protocolVersion": "GRPC"}, "gRPC and HTTP/2"),
        (
            "aws:lb/listener:Listener",
            {"protocol": "TLS", "loadBalancerArn": "arn:talk"},
            "listener 'talk' of a network load balancer: TLS is not spoken",
        ),
    ],
)
def test_what_the_program_uses_and_the_emulator_does_not_do_is_told(
    token: str, inputs: dict[str, Any], said: str
) -> None:
    """Such a resource is made in the emulator, and nothing comes of it: the report would call it enacted."""
    (line,) = told(token, **inputs)
    assert said in line
    assert "talk" in line


def test_what_the_program_does_not_use_is_not_told() -> None:
    """A list that is always the same is not read."""
    assert used(Tree([], {})) == []
    assert told("aws:ecs/service:Service", serviceConnectConfiguration={"enabled": False}) == []
    assert told("aws:lb/targetGroup:TargetGroup", protocolVersion="HTTP1") == []
