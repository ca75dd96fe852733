"""What workflow may do in AWS, whole, on both stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import discovery_changes
from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, deployed, faults

if TYPE_CHECKING:
    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)
each_part = pytest.mark.parametrize("part", ["agent", "gateway"])

ROLES = {f"workflow-{part}-{kind}" for part in ("agent", "gateway") for kind in ("task", "execution")}


def policies(whole: Whole) -> dict[str, list[dict[str, Any]]]:
    return exact.policies(whole, "Workflow")


def arn(stack: str, service: str, what: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNTS[stack]}:{what}"


@each_stack
def test_the_gateway_may_ask_where_the_agents_are(stack: str) -> None:
    """The whole policy: one action, which Cloud Map judges on the service and on its namespace."""
    assert policies(deployed(stack))["workflow-gateway-task"] == [
        {
            "Action": ["servicediscovery:DiscoverInstances"],
            "Resource": [
                arn(stack, "servicediscovery", "namespace/workflow-agent"),
                arn(stack, "servicediscovery", "service/workflow-agent"),
            ],
        }
    ]


@each_stack
def test_an_agent_may_do_nothing(stack: str) -> None:
    """Its role has no policy at all."""
    assert "workflow-agent-task" not in policies(deployed(stack))
    assert "workflow-agent-task" in exact.trusted(deployed(stack), "Workflow")


@each_part
@each_stack
def test_ecs_may_pull_an_image_and_write_its_log(stack: str, part: str) -> None:
    """The whole policy; dev's image is its own, prod's is the one that dev built."""
    # By logical name where the stack makes the repository.
    name = {"dev": f"workflow-{part}", "prod": f"workflow/{part}"}[stack]
    assert policies(deployed(stack))[f"workflow-{part}-execution"] == [
        {"Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
        {
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [arn("dev", "ecr", f"repository/{name}")],
        },
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [arn(stack, "logs", f"log-group:/ecs/workflow-{part}:*")],
        },
    ]


@each_stack
def test_these_are_all_its_roles_and_each_is_a_tasks_on_behalf_of_this_account(stack: str) -> None:
    assert policies(deployed(stack)).keys() == ROLES - {"workflow-agent-task"}
    conditions = {
        "StringEquals": {"aws:SourceAccount": ACCOUNTS[stack]},
        "ArnLike": {"aws:SourceArn": arn(stack, "ecs", "*")},
    }
    assert exact.trusted(deployed(stack), "Workflow") == dict.fromkeys(ROLES, ("ecs-tasks.amazonaws.com", conditions))


@each_stack
def test_the_pack_for_least_privilege_finds_no_fault_in_any(stack: str) -> None:
    """Judged with every ARN known, as after a deployment."""
    allowed = policies(deployed(stack))
    assert {role: [str(fault) for fault in faults(allowed[role], task_role=True)] for role in allowed} == {
        role: [] for role in ROLES - {"workflow-agent-task"}
    }


@pytest.mark.parametrize("ways", discovery_changes.WAYS)
def test_nor_does_it_whatever_the_way(ways: str) -> None:
    """By any other way the gateway needs no right; by Lattice ECS takes a role that registers the agents."""
    allowed = policies(discovery_changes.deployed(ways))
    executions = {"workflow-agent-execution", "workflow-gateway-execution"}
    more = {"cloud_map nlb": {"workflow-gateway-task"}, "lattice": {"workflow-agent-infrastructure"}}
    assert allowed.keys() == executions | more.get(ways, set[str]())
    for role, said in allowed.items():
        assert not faults(said, task_role=not role.endswith("-infrastructure")), role


def test_by_lattice_ecs_may_register_the_agents_in_their_target_group() -> None:
    """The whole policy; what EC2 tells is told of no narrower resource."""
    assert policies(discovery_changes.deployed("lattice"))["workflow-agent-infrastructure"] == [
        {
            "Action": [
                f"vpc-lattice:{each}"
                for each in ("DeregisterTargets", "GetTargetGroup", "ListTargets", "RegisterTargets")
            ],
            "Resource": [arn("dev", "vpc-lattice", "target-group/workflow-agent")],
        },
        {"Action": [f"ec2:Describe{each}" for each in ("Instances", "Subnets", "Vpcs")], "Resource": ["*"]},
    ]
