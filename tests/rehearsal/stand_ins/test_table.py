"""Every type of the table is made in a real emulator, from a program as it would be written."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import program
from rehearsal.autoname import Names
from rehearsal.stand_ins import SERVICES, TABLE, Preview, StandIns

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.emulator import Emulator
    from rehearsal.graph import Registered

PROGRAM = Path(__file__).parent / "every_type"

VALIDATED = {
    "aws:apigatewayv2/vpcLink:VpcLink",
    "aws:appautoscaling/policy:Policy",
    "aws:appautoscaling/scheduledAction:ScheduledAction",
    "aws:appautoscaling/target:Target",
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule",
    "aws:lb/listenerCertificate:ListenerCertificate",
    "aws:vpclattice/authPolicy:AuthPolicy",
    "aws:vpclattice/listener:Listener",
    "aws:vpclattice/service:Service",
    "aws:vpclattice/serviceNetwork:ServiceNetwork",
    "aws:vpclattice/serviceNetworkServiceAssociation:ServiceNetworkServiceAssociation",
    "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation",
    "aws:vpclattice/targetGroup:TargetGroup",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
    "awsx:ecr:Image",
}
"""What the emulator has no call for, or nothing can build."""


@pytest.fixture(scope="module")
def made(deploy: Callable[..., program.Result]) -> program.Result:
    return deploy(PROGRAM, Names(1))


def of(result: program.Result, token: str, name: str = "") -> Registered:
    return next(each for each in result.graph if each.type == token and name in ("", each.name))


def test_a_first_preview_of_every_type_passes() -> None:
    """A stand-in that the preview does not know would only be missed at the run."""
    result = program.run(PROGRAM, "dev", preview=True, maker=Preview(), names=Names(1))
    assert result.error is None, result.error
    assert {each.proof for each in result.graph} == {"local"}


@pytest.mark.parametrize("token", sorted(TABLE))
def test_each_type_is_made_and_told_how_far_it_is_proved(token: str, made: program.Result) -> None:
    resources = [each for each in made.graph if each.type == token]
    assert resources, "every_type has no such resource: add one"
    assert {each.proof for each in resources} == {"validated" if token in VALIDATED else "enacted"}
    assert all(each.id or each.remote for each in resources)


@pytest.mark.parametrize("token", sorted(TABLE.keys() - VALIDATED))
def test_each_type_is_one_of_the_providers(token: str, made: program.Result) -> None:
    """An answer by a name that the provider has not would never reach the program."""
    from rehearsal import schema  # noqa: PLC0415 - once the program has imported the package

    for each in (each for each in made.graph if each.type == token):
        assert each.outputs.keys() <= schema.outputs_of(token), token


def test_the_services_that_are_warmed_are_those_that_are_called(emulator: Emulator, made: program.Result) -> None:
    """A service that is missed costs its client's opening in the middle of a run."""
    asked: set[str] = set()

    def client(service: str) -> Any:
        asked.add(service)
        return emulator.client(service)

    other = StandIns(client, account=emulator.account, region=emulator.region, project_dir=PROGRAM)
    for each in made.graph:
        if each.custom and each.proof == "enacted":
            try:
                other.make(each)
            except Exception:  # noqa: BLE001, S112 - most are there already; which was asked is all that counts
                continue
    assert asked == set(SERVICES)


def test_a_security_group_lets_out_what_the_program_says_and_nothing_more(
    emulator: Emulator, made: program.Result
) -> None:
    """EC2 opens every new group to the whole world outwards, and the provider takes that away."""
    group = of(made, "aws:ec2/securityGroup:SecurityGroup")
    found = emulator.client("ec2").describe_security_groups(GroupIds=[group.id])["SecurityGroups"][0]
    everywhere = [rule for rule in found["IpPermissionsEgress"] if rule["IpProtocol"] == "-1"]
    assert len(everywhere) == 1, "the one of the program"
    assert len(found["IpPermissionsEgress"]) == 2


def test_the_vpcs_own_group_is_left_without_rules(emulator: Emulator, made: program.Result) -> None:
    group = of(made, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    found = emulator.client("ec2").describe_security_groups(GroupIds=[group.id])["SecurityGroups"][0]
    assert (found["IpPermissions"], found["IpPermissionsEgress"]) == ([], [])


def test_tags_reach_the_resource_merged(emulator: Emulator, made: program.Result) -> None:
    vpc = of(made, "aws:ec2/vpc:Vpc")
    found = emulator.client("ec2").describe_vpcs(VpcIds=[vpc.id])["Vpcs"][0]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"Project": "every-type", "Service": "network"}


def test_settings_that_take_calls_of_their_own_are_made(emulator: Emulator, made: program.Result) -> None:
    """A second call that is forgotten leaves a resource that looks right and is not."""
    balancer = of(made, "aws:lb/loadBalancer:LoadBalancer", "main").id
    attributes = emulator.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]
    assert {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"} in attributes
    assert {"Key": "access_logs.s3.prefix", "Value": "alb"} in attributes
    group = emulator.client("logs").describe_log_groups(logGroupNamePrefix="/ecs/app")["logGroups"][0]
    assert group["retentionInDays"] == 30
    table = of(made, "aws:dynamodb/table:Table").id
    ttl = emulator.client("dynamodb").describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires"


def test_a_task_definition_and_a_service_are_as_the_program_says(emulator: Emulator, made: program.Result) -> None:
    ecs = emulator.client("ecs")
    definition = of(made, "aws:ecs/taskDefinition:TaskDefinition").outputs["arn"]
    task = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    (container,) = task["containerDefinitions"]
    assert container["image"] == made.outputs["image_uri"]
    assert container["readonlyRootFilesystem"] is True
    cluster, service = of(made, "aws:ecs/cluster:Cluster").id, of(made, "aws:ecs/service:Service").id
    (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    assert found["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert found["deploymentConfiguration"]["minimumHealthyPercent"] == 50
    assert found["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"


def test_a_file_system_and_what_a_task_mounts_are_as_the_program_says(emulator: Emulator, made: program.Result) -> None:
    """A lifecycle, a folder's owner or the way a volume is mounted is nobody's error message when it is dropped."""
    efs, ecs = emulator.client("efs"), emulator.client("ecs")
    files, point = of(made, "aws:efs/fileSystem:FileSystem"), of(made, "aws:efs/accessPoint:AccessPoint")
    (found,) = efs.describe_file_systems(FileSystemId=files.id)["FileSystems"]
    assert (found["Encrypted"], found["NumberOfMountTargets"]) == (True, 2)
    assert efs.describe_lifecycle_configuration(FileSystemId=files.id)["LifecyclePolicies"] == [
        {"TransitionToIA": "AFTER_30_DAYS"},
        {"TransitionToPrimaryStorageClass": "AFTER_1_ACCESS"},
    ]
    assert efs.describe_backup_policy(FileSystemId=files.id)["BackupPolicy"] == {"Status": "ENABLED"}
    assert "ClientMount" in efs.describe_file_system_policy(FileSystemId=files.id)["Policy"]
    (folder,) = efs.describe_access_points(AccessPointId=point.id)["AccessPoints"]
    assert folder["RootDirectory"] == {
        "Path": "/data",
        "CreationInfo": {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "755"},
    }
    definition = of(made, "aws:ecs/taskDefinition:TaskDefinition").outputs["arn"]
    _, volume = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]["volumes"]
    assert volume["efsVolumeConfiguration"] == {
        "fileSystemId": files.id,
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": point.id, "iam": "ENABLED"},
    }


def test_a_schedule_is_as_the_program_says(emulator: Emulator, made: program.Result) -> None:
    """A network without its inner block, or a tag setting under another name, would be a schedule that never runs."""
    group = of(made, "aws:scheduler/scheduleGroup:ScheduleGroup").outputs["name"]
    name = of(made, "aws:scheduler/schedule:Schedule", "direct").outputs["name"]
    target = emulator.client("scheduler").get_schedule(GroupName=group, Name=name)["Target"]["EcsParameters"]
    assert target["NetworkConfiguration"]["awsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"
    assert target["CapacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    assert target["EnableECSManagedTags"] is True


def test_a_load_balancer_is_in_the_vpc_of_its_subnets(made: program.Result) -> None:
    """The emulator names its default VPC instead, and a policy would look for the wrong one."""
    assert of(made, "aws:lb/loadBalancer:LoadBalancer", "main").outputs["vpcId"] == of(made, "aws:ec2/vpc:Vpc").id


def test_a_functions_archive_is_what_it_runs(emulator: Emulator, made: program.Result) -> None:
    function = of(made, "aws:lambda/function:Function").id
    answer = emulator.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    assert json.loads(answer["Payload"].read())["statusCode"] == 200


def test_an_apis_invoke_url_leads_to_it(made: program.Result) -> None:
    """AWS's own address resolves in a VPC alone; the workload is given this one."""
    url = made.outputs["invoke_url"]
    assert url.startswith("http://127.0.0.1:")
    request = urllib.request.Request(f"{url}/query", method="POST", data=b"{}")  # noqa: S310
    try:
        status = urllib.request.urlopen(request, timeout=5).status  # noqa: S310
    except urllib.error.HTTPError as refused:
        status = refused.code
    assert status in (200, 403), "403 is the API's own: it is private"


def test_a_name_is_registered_in_its_namespace(emulator: Emulator, made: program.Result) -> None:
    """The namespace stands where the provider says it, which the emulator overlooks; the service is found by both."""
    registry = of(made, "aws:servicediscovery/service:Service").id
    found = emulator.client("servicediscovery").get_service(Id=registry)["Service"]
    namespace = of(made, "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace")
    assert found["NamespaceId"] == namespace.id
    assert found["DnsConfig"]["DnsRecords"] == [{"Type": "A", "TTL": 10}]
    assert namespace.outputs["hostedZone"].startswith("Z")


def test_a_service_is_in_every_place_that_it_names(emulator: Emulator, made: program.Result) -> None:
    """A place that is dropped on the way looks the same until somebody asks there."""
    cluster, service = of(made, "aws:ecs/cluster:Cluster").id, of(made, "aws:ecs/service:Service").id
    (found,) = emulator.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    assert [each["registryArn"] for each in found["serviceRegistries"]] == [
        of(made, "aws:servicediscovery/service:Service").outputs["arn"]
    ]
    assert len(found["loadBalancers"]) == 2


def test_the_name_that_lattice_would_give_is_handed_out(made: program.Result) -> None:
    """No emulator has it; what is told to clients is shaped as AWS's."""
    assert made.outputs["lattice_name"].endswith(".vpc-lattice-svcs.eu-west-1.on.aws")
