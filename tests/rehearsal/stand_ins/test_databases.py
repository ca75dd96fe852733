"""A database comes with its master's secret, as RDS makes one, and with the server that stands behind it, if any."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.graph import Registered
from rehearsal.monitor import Refused
from rehearsal.stand_ins import StandIns

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.emulator import Emulator

STACK = "aws:cloudformation/stack:Stack"


def instance(name: str) -> Registered:
    inputs: dict[str, Any] = {
        "identifier": name,
        "engine": "postgres",
        "instanceClass": "db.t4g.micro",
        "allocatedStorage": 20,
        "dbName": "shop",
        "username": "master",
        "manageMasterUserPassword": True,
        "skipFinalSnapshot": True,
    }
    return Registered(
        urn=f"urn::{name}", type="aws:rds/instance:Instance", name=name, parent="", custom=True, inputs=inputs
    )


def stack(name: str, **properties: Any) -> Registered:
    template = {
        "Resources": {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": properties}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Secret", "Id"]}}},
    }
    inputs = {"name": name, "templateBody": json.dumps(template), "onFailure": "DELETE"}
    return Registered(urn=f"urn::{name}", type=STACK, name=name, parent="", custom=True, inputs=inputs)


def test_the_server_behind_it_has_the_password_of_the_masters_secret(emulator: Emulator, tmp_path: Path) -> None:
    """A migration reads the one, and connects to the other at the address that the program was given."""
    started: list[dict[str, str]] = []

    def start(**said: str) -> tuple[str, int]:
        started.append(said)
        return "127.0.0.1", 15432

    stand_ins = StandIns(
        emulator.client, account=emulator.account, region=emulator.region, project_dir=tmp_path, databases=start
    )
    made = stand_ins.make(instance("behind"))
    assert (made.outputs["address"], made.outputs["port"]) == ("127.0.0.1", 15432)
    (secret,) = made.outputs["masterUserSecrets"]
    value = emulator.client("secretsmanager").get_secret_value(SecretId=secret["secretArn"])["SecretString"]
    (said,) = started
    assert json.loads(value) == {"username": said["user"], "password": said["password"]}
    assert (said["identifier"], said["database"], said["user"]) == ("behind", "shop", "master")


def test_without_a_server_it_is_on_record_and_that_is_all(emulator: Emulator, stand_ins: StandIns) -> None:
    """The emulator would start an image of PostgreSQL where there is a Docker endpoint: it is told not to."""
    stand_ins.make(instance("recorded"))
    (found,) = emulator.client("rds").describe_db_instances(DBInstanceIdentifier="recorded")["DBInstances"]
    assert (found["DBInstanceStatus"], found["MasterUsername"]) == ("available", "master")


def test_a_password_is_made_where_nobody_reads_it(emulator: Emulator, stand_ins: StandIns) -> None:
    """What the program is given is the ARN alone."""
    generated = {"SecretStringTemplate": '{"username": "app"}', "GenerateStringKey": "password", "PasswordLength": 40}
    made = stand_ins.make(stack("password", Name="recorded/app", GenerateSecretString=generated))
    found = emulator.client("secretsmanager").get_secret_value(SecretId=made.outputs["outputs"]["Arn"])
    value = json.loads(found["SecretString"])
    assert (value["username"], len(value["password"])) == ("app", 40)
    assert value["password"] not in json.dumps(made.outputs)


def test_a_stack_that_cannot_be_made_is_refused_with_its_reason(stand_ins: StandIns) -> None:
    resource = stack("broken", Name="broken/app")
    template = json.loads(resource.inputs["templateBody"])
    template["Resources"]["Secret"]["Type"] = "AWS::Nothing::AtAll"
    resource.inputs["templateBody"] = json.dumps(template)
    with pytest.raises(Refused, match="CreateStack was refused"):
        stand_ins.make(resource)
