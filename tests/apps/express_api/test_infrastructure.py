"""express-api as it is deployed, on both stacks: where its data is, who reaches it, and what runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, doors, exits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)

ZONES = {"dev": "ab", "prod": "abc"}
DATABASE = "Database/ec2.SecurityGroup express-api"
MIGRATION = "Job/ec2.SecurityGroup express-api-migration"
SERVICE = "Service/ec2.SecurityGroup express-api"
BALANCER = "LoadBalancer/ec2.SecurityGroup express-api"
LINK = "PublicApi/ec2.SecurityGroup express-api"
OWN = {DATABASE, MIGRATION, SERVICE, BALANCER, LINK}


def deployed(stack: str) -> Whole:
    return exact.deployed(stack).of_workload("express-api")


def one(stack: str, token: str, name: str = "express-api") -> Mapping[str, Any]:
    return deployed(stack).one(token, name).inputs


def container(stack: str, name: str) -> dict[str, Any]:
    (only,) = json.loads(one(stack, ":TaskDefinition", name)["containerDefinitions"])
    return only


def environment(stack: str, name: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(stack, name)["environment"]}


def secrets(stack: str, name: str) -> dict[str, str]:
    return {each["name"]: each["valueFrom"] for each in container(stack, name)["secrets"]}


def secret(stack: str, name: str, key: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNTS[stack]}:secret:{name}:{key}::"


def subnets(stack: str, tier: str) -> list[str]:
    return [f"Network/ec2.Subnet {stack}-{tier}-{zone}" for zone in ZONES[stack]]


# Who reaches whom.


@each_stack
def test_each_lets_in_the_one_before_it_and_nobody_else(stack: str) -> None:
    """The API gateway's link, the load balancer, the tasks, the database: whoever skips one is refused."""
    assert {door for door in doors(deployed(stack)) if door[0] in OWN} == {
        (BALANCER, 80, LINK),
        (SERVICE, 3344, BALANCER),
        (DATABASE, 5432, SERVICE),
        (DATABASE, 5432, MIGRATION),
    }


@each_stack
def test_each_gets_out_to_the_one_behind_it_and_tasks_to_aws(stack: str) -> None:
    """The database to nobody at all."""
    assert {way for way in exits(deployed(stack)) if way[0] in OWN} == {
        (LINK, 80, BALANCER),
        (BALANCER, 3344, SERVICE),
        (SERVICE, 5432, DATABASE),
        (MIGRATION, 5432, DATABASE),
        (SERVICE, 443, "0.0.0.0/0"),
        (MIGRATION, 443, "0.0.0.0/0"),
    }


@each_stack
def test_nobody_else_of_the_stack_has_a_way_to_any_of_them(stack: str) -> None:
    """Other workloads' security groups, and the shared load balancers', are in none of its rules."""
    whole = exact.deployed(stack)
    assert {to for who, _, to in exits(whole) if to in OWN and who not in OWN} == set()
    assert {who for group, _, who in doors(whole) if who in OWN and group not in OWN} == set()


@each_stack
def test_the_load_balancer_is_its_own_and_stands_inside(stack: str) -> None:
    """The stack's internal one lets in the whole VPC: what stands behind this one is public only through its API."""
    said = one(stack, "lb/loadBalancer:LoadBalancer")
    assert (said["internal"], said["subnets"]) == (True, subnets(stack, "app"))
    assert said["securityGroups"] == [BALANCER]
    assert said["enableDeletionProtection"] is (stack == "prod")


# Where its data is.


@each_stack
def test_the_database_stands_in_private_subnets_of_its_tier(stack: str) -> None:
    said = one(stack, ":Instance")
    assert said["publiclyAccessible"] is False
    assert said["vpcSecurityGroupIds"] == [DATABASE]
    group = one(stack, ":SubnetGroup")
    assert (said["dbSubnetGroupName"], group["subnetIds"]) == (group["name"], subnets(stack, "data"))


@each_stack
def test_the_database_is_encrypted_and_speaks_tls_alone(stack: str) -> None:
    said, parameters = one(stack, ":Instance"), one(stack, ":ParameterGroup")
    assert said["storageEncrypted"] is True
    assert said["caCertIdentifier"] == "rds-ca-rsa2048-g1"
    assert said["parameterGroupName"] == parameters["name"]
    assert parameters["parameters"] == [{"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"}]


@each_stack
def test_nobody_says_the_masters_password(stack: str) -> None:
    """RDS makes it, and changes it every seven days."""
    said = one(stack, ":Instance")
    assert (said["username"], said["manageMasterUserPassword"]) == ("master", True)
    assert not {"password", "passwordWo"} & said.keys()


@each_stack
def test_the_database_takes_minor_versions_and_not_a_major_one(stack: str) -> None:
    said = one(stack, ":Instance")
    assert (said["engine"], said["engineVersion"], one(stack, ":ParameterGroup")["family"]) == (
        "postgres",
        "17",
        "postgres17",
    )
    assert (said["autoMinorVersionUpgrade"], said["allowMajorVersionUpgrade"]) == (True, False)
    assert said["instanceClass"] == {"dev": "db.t4g.micro", "prod": "db.t4g.medium"}[stack]
    assert said["applyImmediately"] is False


@pytest.mark.parametrize(
    ("stack", "size", "days"), [("dev", (20, 100), 1), ("prod", (50, 500), 30)], ids=["dev", "prod"]
)
def test_the_database_grows_and_is_backed_up_as_its_stack_says(stack: str, size: tuple[int, int], days: int) -> None:
    said = one(stack, ":Instance")
    assert (said["allocatedStorage"], said["maxAllocatedStorage"], said["backupRetentionPeriod"]) == (*size, days)


def test_prods_database_outlives_a_zone_and_a_slip() -> None:
    """A second machine, protection by RDS and by Pulumi, a last snapshot, and a key whose use can be ended."""
    said = one("prod", ":Instance")
    assert (said["multiAz"], said["deletionProtection"], said["skipFinalSnapshot"]) == (True, True, False)
    assert said["finalSnapshotIdentifier"] == f"{said['identifier']}-final"
    assert said["deleteAutomatedBackups"] is False
    assert deployed("prod").one(":Instance", "express-api").protect
    own = f"arn:aws:kms:{REGION}:{ACCOUNTS['prod']}:key/express-api"
    assert (said["kmsKeyId"], said["masterUserSecretKmsKeyId"], said["performanceInsightsKmsKeyId"]) == (own,) * 3


def test_devs_database_goes_when_it_is_told_to() -> None:
    said = one("dev", ":Instance")
    assert (said["multiAz"], said["deletionProtection"], said["skipFinalSnapshot"]) == (False, False, True)
    assert not deployed("dev").one(":Instance", "express-api").protect


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 90)])
def test_the_databases_logs_are_kept_as_long_as_is_said(stack: str, days: int) -> None:
    """In groups that are there before it: RDS would make them itself, and keep them for ever."""
    said = one(stack, ":Instance")
    assert said["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    for log in said["enabledCloudwatchLogsExports"]:
        group = deployed(stack).one(":LogGroup", f"express-api-{log}")
        assert group.inputs["name"] == f"/aws/rds/instance/{said['identifier']}/{log}"
        assert group.inputs["retentionInDays"] == days
        assert group.urn in deployed(stack).one(":Instance", "express-api").dependencies


# What runs.


@each_stack
def test_the_service_is_the_applications_user_and_never_the_master(stack: str) -> None:
    assert secrets(stack, "express-api") == {
        "APPLICATION_USERNAME": secret(stack, "express-api-application", "username"),
        "APPLICATION_PASSWORD": secret(stack, "express-api-application", "password"),
        "TOKEN_KEY": secret(stack, "express-api-tokens", "password"),
    }


@each_stack
def test_the_migration_is_the_master_and_makes_the_applications_user(stack: str) -> None:
    """It signs no token."""
    assert secrets(stack, "express-api-migration") == {
        "MASTER_USERNAME": secret(stack, "rds!db-express-api", "username"),
        "MASTER_PASSWORD": secret(stack, "rds!db-express-api", "password"),
        "APPLICATION_USERNAME": secret(stack, "express-api-application", "username"),
        "APPLICATION_PASSWORD": secret(stack, "express-api-application", "password"),
    }


@each_stack
def test_both_are_told_where_the_database_is_and_no_secret(stack: str) -> None:
    place = {
        "DATABASE_HOST": "Database/rds.Instance express-api.address",
        "DATABASE_PORT": "5432",
        "DATABASE_NAME": "api",
    }
    assert environment(stack, "express-api-migration") == place
    assert environment(stack, "express-api") == {
        **place,
        "PORT": "3344",
        "PROXIES": "2",
        "TOKEN_MINUTES": "15",
        "LARGEST_BODY": "8192",
        "DATABASE_CONNECTIONS": "10",
    }


@each_stack
def test_aws_makes_both_passwords(stack: str) -> None:
    """The program says how long each is, and that is all that any input, state or plan of it has."""
    for name in ("application", "tokens"):
        (made,) = json.loads(one(stack, ":Stack", f"express-api-{name}")["templateBody"])["Resources"].values()
        assert made["Type"] == "AWS::SecretsManager::Secret"
        assert "SecretString" not in made["Properties"]
        assert made["Properties"]["GenerateSecretString"] == {
            "SecretStringTemplate": json.dumps({"username": name}),
            "GenerateStringKey": "password",
            "PasswordLength": 40,
            "ExcludePunctuation": True,
        }
    assert not [each.name for each in deployed(stack).graph if each.secret_inputs]


@each_stack
def test_both_are_one_image_on_fargate_that_can_write_nothing(stack: str) -> None:
    service, migration = container(stack, "express-api"), container(stack, "express-api-migration")
    assert service["image"] == migration["image"]
    assert (service["command"], migration["command"]) == (["node", "main.js"], ["node", "migrate.js"])
    assert service["healthCheck"]["command"] == ["CMD", "node", "healthcheck.js"]
    assert (service["readonlyRootFilesystem"], migration["readonlyRootFilesystem"]) == (True, True)
    assert "portMappings" not in migration
    for name in ("express-api", "express-api-migration"):
        said = one(stack, ":TaskDefinition", name)
        assert (said["cpu"], said["memory"], said["networkMode"]) == ("512", "1024", "awsvpc")
        assert said["requiresCompatibilities"] == ["FARGATE"]


@pytest.mark.parametrize(
    ("stack", "provider", "tasks"), [("dev", "FARGATE_SPOT", 1), ("prod", "FARGATE", 2)], ids=["dev", "prod"]
)
def test_the_service_runs_where_nobody_reaches_it_by_a_public_address(stack: str, provider: str, tasks: int) -> None:
    said = one(stack, "ecs/service:Service")
    assert said["networkConfiguration"] == {
        "subnets": subnets(stack, "app"),
        "securityGroups": [SERVICE],
        "assignPublicIp": False,
    }
    assert [part["capacityProvider"] for part in said["capacityProviderStrategies"]] == [provider]
    assert (said["desiredCount"], said["enableExecuteCommand"]) == (tasks, False)
    assert said["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def test_prods_service_grows_from_two_tasks_to_eight() -> None:
    said = one("prod", "appautoscaling/target:Target")
    assert (said["minCapacity"], said["maxCapacity"]) == (2, 8)


@each_stack
def test_the_load_balancer_asks_whether_the_database_answers(stack: str) -> None:
    said = one(stack, ":TargetGroup")["healthCheck"]
    assert (said["path"], said["matcher"], said["interval"], said["timeout"]) == ("/api/info", "200", 30, 5)
