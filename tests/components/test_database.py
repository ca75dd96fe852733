"""A database is shut, encrypted and backed up by default, and whoever uses it has a secret that no program knows."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from pulumi import Output

from components.adopted_network import AdoptedNetwork
from components.database import VERSIONS, Database, DatabaseArgs
from components.errors import InvalidArgsError
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.samples import ACCOUNT, DATA_NETWORK, KEY, NETWORK

if TYPE_CHECKING:
    from components.secret import SecretReference


def arguments(**said: Any) -> DatabaseArgs:
    return DatabaseArgs(**({"account": ACCOUNT, "network": DATA_NETWORK, "database_name": "shop"} | said))


def made(**said: Any) -> list[Recorded]:
    return record(lambda: Database("data", arguments(**said)))


def instance(**said: Any) -> Recorded:
    return one(made(**said), "rds/instance:Instance")


def test_by_default_it_is_what_production_needs() -> None:
    """What a hurried author gets: RDS's own defaults encrypt nothing, and delete without a word."""
    found = instance()
    expected = {
        "engine": "postgres",
        "engineVersion": "17",
        "instanceClass": "db.t4g.micro",
        "storageEncrypted": True,
        "publiclyAccessible": False,
        "multiAz": True,
        "backupRetentionPeriod": 7,
        "deletionProtection": True,
        "skipFinalSnapshot": False,
        "deleteAutomatedBackups": False,
        "autoMinorVersionUpgrade": True,
        "manageMasterUserPassword": True,
        "databaseInsightsMode": "standard",
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
    }
    assert {key: found.inputs.get(key) for key in expected} == expected
    assert found.protect
    assert not {"password", "passwordWo", "kmsKeyId"} & found.inputs.keys()


def test_a_dev_stack_may_have_it_cheap_and_let_it_go() -> None:
    found = instance(multi_az=False, deletion_protection=False, final_snapshot=False)
    assert (found.inputs["multiAz"], found.inputs["deletionProtection"]) == (False, False)
    assert found.inputs["skipFinalSnapshot"] is True
    assert "finalSnapshotIdentifier" not in found.inputs
    assert not found.protect


def test_it_stands_in_the_data_subnets_alone() -> None:
    (subnets,) = of_type(made(), "rds/subnetGroup:SubnetGroup").values()
    assert set(subnets.inputs["subnetIds"]) == set(DATA_NETWORK.data_subnet_ids)


@pytest.mark.parametrize("version", VERSIONS)
def test_without_tls_nobody_is_let_in(version: str) -> None:
    """By its own parameters, of its own version: those of RDS's default cannot be changed."""
    resources = made(engine_version=version)
    (group,) = of_type(resources, "rds/parameterGroup:ParameterGroup").values()
    assert group.inputs["family"] == f"postgres{version}"
    assert {"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"} in group.inputs["parameters"]
    assert one(resources, "rds/instance:Instance").inputs["parameterGroupName"] == "data.name"


def test_all_that_is_named_after_it_has_its_one_suffix() -> None:
    """Its logs are there before it, kept for a stated time; and no two final snapshots are called the same."""
    resources = made()
    found = one(resources, "rds/instance:Instance")
    assert (found.inputs["identifier"], found.inputs["finalSnapshotIdentifier"]) == ("data.name", "data.name-final")
    logs = of_type(resources, "cloudwatch/logGroup:LogGroup").values()
    assert {each.inputs["name"] for each in logs} == {
        "/aws/rds/instance/data.name/postgresql",
        "/aws/rds/instance/data.name/upgrade",
    }
    assert {each.inputs["retentionInDays"] for each in logs} == {30}
    assert {each.urn for each in logs} <= found.dependencies


def test_nobody_reaches_it_until_it_is_opened() -> None:
    assert not of_type(made(), "SecurityGroupIngressRule")
    assert not of_type(made(), "SecurityGroupEgressRule")


def test_it_is_opened_to_a_named_group_on_its_port_alone() -> None:
    """Both ways: in at the database, and out at whoever calls."""

    def build() -> None:
        database = Database("data", arguments())
        assert len(database.open_to("api", "sg-api")) == 2

    resources = record(build)
    (way_in,) = of_type(resources, "SecurityGroupIngressRule").values()
    (way_out,) = of_type(resources, "SecurityGroupEgressRule").values()
    for rule in (way_in, way_out):
        assert (rule.inputs["fromPort"], rule.inputs["toPort"], rule.inputs["ipProtocol"]) == (5432, 5432, "tcp")
    assert (way_in.inputs["securityGroupId"], way_in.inputs["referencedSecurityGroupId"]) == ("data-id", "sg-api")
    assert (way_out.inputs["securityGroupId"], way_out.inputs["referencedSecurityGroupId"]) == ("sg-api", "data-id")


def test_each_users_password_is_made_by_aws() -> None:
    """Nothing of it is in the program: the template says how it is to be made."""
    (stack,) = of_type(made(users=("application",)), "cloudformation/stack:Stack").values()
    (secret,) = json.loads(stack.inputs["templateBody"])["Resources"].values()
    assert secret["Type"] == "AWS::SecretsManager::Secret"
    assert secret["Properties"]["Name"] == "data.name/application"
    generated = secret["Properties"]["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "password"
    assert json.loads(generated["SecretStringTemplate"]) == {"username": "application"}
    assert not {"SecretString", "KmsKeyId"} & secret["Properties"].keys()


def test_a_container_gets_a_secrets_key_and_its_role_that_secret_alone() -> None:
    found: dict[str, SecretReference] = {}

    def build() -> Output[None]:
        database = Database("data", arguments(users=("application",), kms_key_arn=KEY))
        found.update(master=database.master_secret("password"), application=database.secret("application", "username"))
        said = Output.all(*(each.value_from for each in found.values()))
        resources = Output.all(*(resource for each in found.values() for resource in each.grants[0].resources))
        master = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:data-abcdef"

        def check(known: list[Any]) -> None:
            (values, arns) = known
            assert values == [f"{master}:password::", "data-application.outputs.Arn:username::"]
            assert arns == [master, KEY, "data-application.outputs.Arn", KEY]

        return Output.all(said, resources).apply(check)

    record(build)
    for each in found.values():
        (grant,) = each.grants
        assert grant.actions == ("secretsmanager:GetSecretValue", "kms:Decrypt")


def test_one_key_encrypts_it_and_its_secrets() -> None:
    resources = made(own_key=True, users=("application",))
    found = one(resources, "rds/instance:Instance").inputs
    keys = ("kmsKeyId", "masterUserSecretKmsKeyId", "performanceInsightsKmsKeyId")
    assert {found[each] for each in keys} == {"data.arn"}
    (stack,) = of_type(resources, "cloudformation/stack:Stack").values()
    assert json.loads(stack.inputs["templateBody"])["Resources"]["Secret"]["Properties"]["KmsKeyId"] == "data.arn"


def test_a_key_of_its_own_stays_where_snapshots_do() -> None:
    """Without it, which KMS deletes after a month, what was kept could not be read."""
    assert one(made(own_key=True), "kms/key:Key").retained
    assert not one(made(own_key=True, final_snapshot=False), "kms/key:Key").retained


def test_a_major_upgrade_is_made_when_it_is_deployed() -> None:
    """Put off to the window it would leave the old version's parameters in use, and Pulumi could not delete them."""
    assert instance().inputs["applyImmediately"] is False
    assert instance(major_upgrade=True).inputs["applyImmediately"] is True
    assert instance(at_once=True).inputs["applyImmediately"] is True


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"network": NETWORK}, "data subnets in two zones or more"),
        ({"engine_version": "17.4"}, "engine_version"),
        ({"instance_class": "t4g.micro"}, "instance_class"),
        ({"instance_class": "db.t4g.nano"}, "instance_class"),
        ({"database_name": "Shop"}, "database_name"),
        ({"database_name": "postgres"}, "database_name"),
        ({"users": ("rdsadmin",)}, "users"),
        ({"users": ("master",)}, "users"),
        ({"users": ("a", "a")}, "each user once"),
        ({"storage": 19}, "storage"),
        ({"storage": 100, "storage_limit": 109}, "a tenth over 100 GiB"),
        ({"backup_days": 0}, "backup_days"),
        ({"own_key": True, "kms_key_arn": KEY}, "one key encrypts it"),
    ],
)
def test_what_rds_would_refuse_is_refused_before_anything_is_made(said: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        arguments(**said)


def test_one_zone_is_not_enough() -> None:
    """RDS takes no subnet group of one, Multi-AZ or not."""
    one_zone = AdoptedNetwork(
        vpc_id=NETWORK.vpc_id,
        cidr=NETWORK.cidr,
        zones=("a",),
        app_subnet_ids=NETWORK.app_subnet_ids[:1],
        data_subnet_ids=("subnet-4a1b2c3d",),
    )
    with pytest.raises(InvalidArgsError, match=r"1 data subnet"):
        dataclasses.replace(arguments(), network=one_zone)


def test_a_user_that_it_has_not_been_given_has_no_secret() -> None:
    def build() -> None:
        database = Database("data", arguments(users=("application",)))
        with pytest.raises(InvalidArgsError, match="one of application"):
            database.secret("reader")

    record(build)


def test_before_the_first_deployment_all_is_unknown_and_nothing_fails() -> None:
    def build() -> None:
        database = Database("data", arguments(users=("application",)))
        database.master_secret("password")
        database.secret("application")

    assert record(build, preview=True)
