"""An instance joins its cluster by what its launch template, profile and role say, and otherwise it is told why not."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.ecs_agents import EcsAgents, cluster_of
from rehearsal.graph import Registered
from rehearsal.tree import Tree
from tests.rehearsal.containers.conftest import ACCOUNT, REGION, Site, _open

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop"
REGISTERS = ("ecs:RegisterContainerInstance", CLUSTER)
JOINS = "#!/bin/bash\ncat <<'EOF' >> /etc/ecs/ecs.config\nECS_CLUSTER=shop\nECS_OTHER=1\nEOF\n"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with _open() as opened:
        yield opened


def made(token: str, name: str, inputs: dict[str, Any], outputs: dict[str, Any] | None = None) -> Registered:
    return Registered(
        urn=f"urn:{token}:{name}",
        type=token,
        name=name,
        parent="",
        custom=True,
        inputs=inputs,
        outputs=outputs or {},
        id=name,
    )


def _role(site: Site, service: str, *allows: tuple[str, str]) -> str:
    """Make a role that *service* may assume unconditionally, as EC2 sets no source; its ARN."""
    iam, name = site.aws.client("iam"), f"instance-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allows]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return role


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def stack(
    site: Site, *allows: tuple[str, str], service: str = "ec2.amazonaws.com", user_data: str = JOINS, **said: Any
) -> Tree:
    """Make a group of one instance; return what a program would have registered for it."""
    name = f"general-{uuid.uuid4().hex[:8]}"
    site.aws.client("autoscaling").create_auto_scaling_group(AutoScalingGroupName=name, MinSize=1, MaxSize=1)
    role = _role(site, service, *allows)
    template: dict[str, Any] = {
        "iamInstanceProfile": {"arn": "arn:profile"},
        "userData": base64.b64encode(user_data.encode()).decode(),
        **said,
    }
    specification = {"launchTemplateSpecification": {"launchTemplateId": "template"}}
    role_name = role.rpartition("/")[2]
    graph = [
        made("aws:autoscaling/group:Group", name, {"mixedInstancesPolicy": {"launchTemplate": specification}}),
        made("aws:ec2/launchTemplate:LaunchTemplate", "template", template),
        made("aws:iam/instanceProfile:InstanceProfile", "profile", {"role": role_name}, {"arn": "arn:profile"}),
        made("aws:iam/role:Role", "role", {}, {"arn": role, "name": role_name}),
    ]
    return Tree(graph, {})


def joined(site: Site) -> set[str]:
    return set(site.aws.client("ecs").list_container_instances(cluster="shop")["containerInstanceArns"])


def faults(site: Site, tree: Tree) -> list[str]:
    """Return why the instance of *tree* did not join within a few seconds; nothing if it did."""
    before, deadline = joined(site), time.monotonic() + 5
    with EcsAgents(tree, site.aws) as agents:
        while not agents.faults and joined(site) == before and time.monotonic() < deadline:
            time.sleep(0.05)
    assert bool(agents.faults) != (joined(site) > before)
    return agents.faults


def test_an_instance_joins_the_cluster_that_its_user_data_names(site: Site) -> None:
    assert faults(site, stack(site, REGISTERS)) == []


def test_a_role_that_may_not_register_is_told_and_is_a_denial(site: Site) -> None:
    """The service would wait for a machine that is there and is none of the cluster's."""
    (told,) = faults(site, stack(site, ("ecs:Poll", "*")))
    assert "join no cluster" in told
    assert "RegisterContainerInstance" in told
    assert "ecs:RegisterContainerInstance" in {each.action for each in site.aws.denials()}


def test_a_role_that_ec2_may_not_take_on_is_told(site: Site) -> None:
    (told,) = faults(site, stack(site, REGISTERS, service="ecs-tasks.amazonaws.com"))
    assert "AssumeRole" in told


def test_a_trust_with_a_condition_is_one_that_ec2_does_not_meet(site: Site) -> None:
    """EC2 sets no source: a role held to one is no instance's, however right that looks."""
    tree = stack(site, REGISTERS)
    (role,) = tree.of("aws:iam/role:Role")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    held = {**trust, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    site.aws.client("iam").update_assume_role_policy(RoleName=role.outputs["name"], PolicyDocument=document(held))
    (told,) = faults(site, tree)
    assert "AssumeRole" in told


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"user_data": "#!/bin/bash\n"}, "their user data sets no ECS_CLUSTER"),
        ({"iamInstanceProfile": {}}, "they have not an instance profile of the stack"),
    ],
)
def test_what_an_agent_cannot_do_without_is_told(site: Site, said: dict[str, Any], says: str) -> None:
    (told,) = faults(site, stack(site, REGISTERS, **said))
    assert says in told


@pytest.mark.parametrize("line", ["ECS_CLUSTER=shop", "echo ECS_CLUSTER=shop >> /etc/ecs/ecs.config", json.dumps("x")])
def test_the_cluster_is_read_from_the_script(line: str) -> None:
    """As a line of the agent's own file, or written there by a command."""
    text = base64.b64encode(f"#!/bin/bash\n{line}\n".encode()).decode()
    if "ECS_CLUSTER" in line:
        assert cluster_of(text) == "shop"
    else:
        with pytest.raises(LookupError, match="the cluster `default`"):
            cluster_of(text)


def test_a_program_without_groups_has_no_agents(site: Site) -> None:
    with EcsAgents(Tree([], {}), site.aws) as agents:
        assert agents.faults == []
