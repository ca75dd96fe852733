"""Tasks on machines of a cluster's own: declared, judged by the packs, and run as processes behind a load balancer."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import packs, program
from rehearsal.autoname import Names
from rehearsal.ecs_agents import EcsAgents
from rehearsal.monitor import Refused
from rehearsal.stand_ins import Preview, StandIns
from rehearsal.tree import Tree
from tests.rehearsal.containers.conftest import ACCOUNT, REGION, Site, _open
from tests.rehearsal.programs import write
from tests.rehearsal.stand_ins.test_refusals import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.graph import Registered

POLICIES = Path(__file__).parents[3] / "policies"
TAGS = {
    "Project": "shop",
    "Environment": "dev",
    "Owner": "platform",
    "CostCenter": "CC-1",
    "Service": "shop",
    "ManagedBy": "pulumi",
}
PREAMBLE = f"""
import pulumi
import pulumi_aws as aws
from components.account import Account
from components.capacity import Capacity
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.ec2_instances import Ec2Instances
from components.fargate import InstanceSize
from components.image import Image
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.managed_instances import ManagedInstances
from components.network import Network, NetworkArgs
from components.service import Service, ServiceArgs, TargetHealth
from components.task import Task, TaskArgs

TAGS = {TAGS!r}
account = Account(id="{ACCOUNT}", region="{REGION}")
provider = aws.Provider("aws", region="{REGION}", default_tags={{"tags": TAGS}})
opts = pulumi.ResourceOptions(providers=[provider])
image = Image.at("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tiny-web@sha256:" + "a" * 64)
"""
SHOP = """
network = Network("main", NetworkArgs(account=account, nat="single", zones=("a", "b")), opts)
balancer = LoadBalancer("main", LoadBalancerArgs(network=network, open_to=("vpc",)), opts)
cluster = Cluster("main", ClusterArgs(
    account=account,
    capacity=[Capacity("general")],
    instances={
        "general": Ec2Instances(network=network, maximum=4, on_demand_percent=50, balancers=[balancer], tags=TAGS),
        EXTRA
    },
), opts)


def web(name, mode, host_port=None):
    container = Container(
        image=image, port=8000, host_port=host_port, command=("python", "main.py"), environment={"PORT": "8000"}
    )
    return Task(name, TaskArgs(
        account=account, containers=[container], size=InstanceSize(1024, 1024), launch_type="EC2", network_mode=mode
    ), opts)


for name, mode, port in (("dynamic", "bridge", None), ("static", "bridge", 80), ("shared", "host", None)):
    Service(name, ServiceArgs(
        task=web(name, mode, port), cluster=cluster, network=network, entrance=balancer.route(path=f"/{name}"),
    ), opts)
Service("own", ServiceArgs(task=web("own", "awsvpc"), cluster=cluster, network=network), opts)
Service("agent", ServiceArgs(task=web("agent", "bridge"), cluster=cluster, network=network, scheduling="DAEMON"), opts)
"""
WRONG = """
import json
network = Network("main", NetworkArgs(account=account, nat="single", zones=("a", "b")), opts)
template = aws.ec2.LaunchTemplate(
    "template", image_id="ami-1", network_interfaces=[{"associate_public_ip_address": "true"}], opts=opts
)
aws.autoscaling.Group(
    "scaled",
    min_size=0,
    max_size=1,
    vpc_zone_identifiers=list(network.public_subnet_ids),
    launch_template={"id": template.id},
    tags=[{"key": key, "value": value, "propagate_at_launch": False} for key, value in TAGS.items()],
    opts=opts,
)
role = aws.iam.Role("agent", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
]}), opts=opts)
aws.iam.RolePolicy("agent", role=role.name, policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "ecs:RegisterContainerInstance", "Resource": "*"}
]}), opts=opts)
"""
MANAGED = '"managed": ManagedInstances(network=network, tags=TAGS),'


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with _open() as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[program.Result]:
    folder = write(tmp_path_factory.mktemp("shop"), SHOP.replace("EXTRA", ""), preamble=PREAMBLE)
    maker = StandIns(site.aws.client, account=ACCOUNT, region=REGION, project_dir=folder, gateway=site.aws.endpoint)
    result = program.run(folder, "dev", preview=False, maker=maker, names=Names(1))
    assert result.error is None, result.error
    with EcsAgents(Tree(result.graph, result.outputs), site.aws) as agents:
        yield result
    assert agents.faults == []


def refusals(graph: list[Registered], *, preview: bool, configuration: dict[str, Any] | None = None) -> list[str]:
    folders = [POLICIES / name for name in ("tags", "private_network", "least_privilege")]
    judgement = packs.judge(
        folders,
        graph,
        stack="dev",
        project="shop",
        preview=preview,
        environment=os.environ,
        configuration=configuration or {},
    )
    return [f"{each.urn.rpartition('::')[2]}: {each.message}" for each in judgement.refusals]


def of(result: program.Result, token: str, name: str) -> Registered:
    return next(each for each in result.graph if each.type.endswith(token) and each.name == name)


def test_machines_and_what_runs_on_them_pass_the_packs(shop: program.Result, tmp_path: Path) -> None:
    """At a first preview, when nothing is known, and once all is: no exception is needed for them."""
    folder = write(tmp_path, SHOP.replace("EXTRA", ""), preamble=PREAMBLE)
    preview = program.run(folder, "dev", preview=True, maker=Preview(), names=Names(1))
    assert preview.error is None, preview.error
    assert refusals(preview.graph, preview=True) == []
    assert refusals(shop.graph, preview=False) == []


def test_managed_instances_ask_the_packs_for_what_their_docs_say_and_nothing_more(tmp_path: Path) -> None:
    """A role is passed to EC2, AWS's own images have no narrower name, and templates of ECS's own are changed."""
    folder = write(tmp_path, SHOP.replace("EXTRA", MANAGED), preamble=PREAMBLE)
    preview = program.run(folder, "dev", preview=True, maker=Preview(), names=Names(1))
    assert preview.error is None, preview.error
    asked = refusals(preview.graph, preview=True)
    assert [text.partition(":")[0] for text in asked] == ["main-managed-infrastructure"] * len(asked)
    assert sorted({text.split(": ")[1] for text in asked}) == ["escalation", "pass-role", "wildcard-resource"], asked


def test_what_the_docs_tell_the_packs_of_managed_instances_is_all_that_they_ask(tmp_path: Path) -> None:
    """The exceptions name the stage and the instances; a reader changes these two and no more."""
    text = (POLICIES.parent / "docs" / "capacity.md").read_text()
    said = re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0].replace("dev-patched", "main-managed")
    folder = write(tmp_path, SHOP.replace("EXTRA", MANAGED), preamble=PREAMBLE)
    preview = program.run(folder, "dev", preview=True, maker=Preview(), names=Names(1))
    assert preview.error is None, preview.error
    assert refusals(preview.graph, preview=True, configuration={"least_privilege": json.loads(said)}) == []


def test_machines_that_are_wrong_are_refused(tmp_path: Path) -> None:
    """In public subnets, with public addresses, without tags, and with a role for every cluster."""
    folder = write(tmp_path, WRONG, preamble=PREAMBLE)
    preview = program.run(folder, "dev", preview=True, maker=Preview(), names=Names(1))
    assert preview.error is None, preview.error
    told = refusals(preview.graph, preview=True)
    for name, rule in (
        ("scaled", "private-subnet"),
        ("scaled", "instance-tags"),
        ("template", "public-ip"),
        ("template", "launch-template-tags"),
        ("agent", "wildcard-resource"),
    ):
        assert [text for text in told if text.startswith(f"{name}: {rule}:")], (name, rule, told)


def test_tasks_in_each_network_mode_answer_behind_the_load_balancer(site: Site, shop: program.Result) -> None:
    """Registered under their host ports, on instances that joined the cluster by the components' own roles."""
    for name, ports in (("dynamic", {32768, 32769}), ("static", {80}), ("shared", {8000})):
        group = of(shop, ":TargetGroup", name)
        assert group.inputs["targetType"] == "instance"
        deadline = time.monotonic() + 10
        while healthy(site, group.id) < 2:
            assert time.monotonic() < deadline, f"{name}: {healthy(site, group.id)} of 2 targets are healthy"
            time.sleep(0.1)
        found = site.aws.client("elbv2").describe_target_health(TargetGroupArn=group.id)["TargetHealthDescriptions"]
        assert {each["Target"]["Port"] for each in found} <= ports, name


def healthy(site: Site, group: str) -> int:
    found = site.aws.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return sum(each["TargetHealth"]["State"] == "healthy" for each in found)


def test_a_daemon_is_a_service_of_one_task_here(site: Site, shop: program.Result) -> None:
    """There are no instances for it to be on each of; it must not come under the cluster's strategy for it."""
    service = of(shop, "aws:ecs/service:Service", "agent")
    found = site.aws.client("ecs").describe_services(cluster=service.inputs["cluster"], services=[service.id])
    (described,) = found["services"]
    assert (described["schedulingStrategy"], described["launchType"]) == ("DAEMON", "EC2")
    assert described["desiredCount"] == 1


def test_the_group_starts_its_instances_protected_and_tagged(site: Site, shop: program.Result) -> None:
    """ECS refuses a capacity provider with termination protection over a group that does not protect."""
    group = of(shop, ":Group", "main-general")
    found = site.aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group.id])
    (described,) = found["AutoScalingGroups"]
    assert described["NewInstancesProtectedFromScaleIn"] is True
    assert {tag["Key"] for tag in described["Tags"]} == {*TAGS, "Name", "AmazonECSManaged"}
    assert all(tag["PropagateAtLaunch"] for tag in described["Tags"])


def test_the_launch_template_is_told_the_image_by_its_public_parameter(site: Site, shop: program.Result) -> None:
    """Nothing is looked up by the program, so a preview without credentials says the same."""
    template = of(shop, ":LaunchTemplate", "main-general")
    found = site.aws.client("ec2").describe_launch_template_versions(LaunchTemplateId=template.id)
    data = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert data["ImageId"].startswith("resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/")
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1


MANAGED_PROVIDER = {
    "infrastructureRoleArn": "arn:aws:iam::123456789012:role/infrastructure",
    "propagateTags": "CAPACITY_PROVIDER",
    "instanceLaunchTemplate": {
        "ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/instance",
        "capacityOptionType": "SPOT",
        "networkConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
        "storageConfiguration": {"storageSizeGib": 80},
        "instanceRequirements": {
            "vcpuCount": {"min": 2, "max": 8},
            "memoryMib": {"min": 4096, "max": 8192},
            "instanceGenerations": ["current"],
            "allowedInstanceTypes": ["m6i.*"],
        },
    },
}
PROVIDER = "aws:ecs/capacityProvider:CapacityProvider"


def test_managed_instances_are_validated_and_not_enacted(stand_ins: StandIns) -> None:
    """The emulator takes their provider and forgets what it says: that is no proof."""
    made = stand_ins.make(resource(PROVIDER, name="m", cluster="main", managedInstancesProvider=MANAGED_PROVIDER))
    assert made.proof == "validated"
    assert made.id.endswith(":capacity-provider/m")
    wrong = {**MANAGED_PROVIDER, "propagateTags": "EVERYWHERE"}
    with pytest.raises(Refused, match="propagateTags is 'EVERYWHERE', and must be one of CAPACITY_PROVIDER, NONE"):
        stand_ins.make(resource(PROVIDER, name="m", cluster="main", managedInstancesProvider=wrong))
