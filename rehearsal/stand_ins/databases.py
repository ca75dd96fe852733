"""RDS: databases, and the subnets and parameters that they have; and CloudFormation's stacks, which make passwords."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table

_MADE_WITHIN: Final = 20.0
"""Seconds for a stack; the emulator takes none to speak of."""
_LOOKED_EVERY: Final = 0.1

_RENAME: Final = {
    "identifier": "DBInstanceIdentifier",
    "instanceClass": "DBInstanceClass",
    "dbName": "DBName",
    "dbSubnetGroupName": "DBSubnetGroupName",
    "username": "MasterUsername",
    "password": "MasterUserPassword",
    "multiAz": "MultiAZ",
    "parameterGroupName": "DBParameterGroupName",
    "caCertIdentifier": "CACertificateIdentifier",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
}
_APART: Final = (
    # For later calls: a modification, and the deletion.
    *("allowMajorVersionUpgrade", "applyImmediately"),
    *("deleteAutomatedBackups", "finalSnapshotIdentifier", "skipFinalSnapshot"),
)


def _subnet_group(this: Making) -> Answer:
    rename = {"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"}
    made = this.create("rds:CreateDBSubnetGroup", rename=rename)["DBSubnetGroup"]
    return this.answer(this["name"], arn=made["DBSubnetGroupArn"], vpcId=made["VpcId"])


def _parameter_group(this: Making) -> Answer:
    rename = {"name": "DBParameterGroupName", "family": "DBParameterGroupFamily"}
    made = this.create("rds:CreateDBParameterGroup", apart=["parameters"], rename=rename)["DBParameterGroup"]
    if this.get("parameters"):
        parameters = [
            {
                "ParameterName": each["name"],
                "ParameterValue": each["value"],
                "ApplyMethod": each.get("applyMethod", "immediate"),
            }
            for each in this["parameters"]
        ]
        this.call("rds:ModifyDBParameterGroup", DBParameterGroupName=this["name"], Parameters=parameters)
    return this.answer(this["name"], arn=made["DBParameterGroupArn"])


def _instance(this: Making) -> Answer:
    """Make the instance, and what RDS makes beside it: the master's secret, which the emulator does not.

    A server stands behind it where `Aws.databases` starts one; its address is then the instance's.
    """
    made = this.create("rds:CreateDBInstance", apart=_APART, rename=_RENAME)["DBInstance"]
    managed: list[dict[str, Any]] = []
    password = this.get("password") or secrets.token_urlsafe(24)
    if this.get("manageMasterUserPassword"):
        managed = [_master_secret(this, made["DbiResourceId"].lower(), password)]
    host, port = made["Endpoint"]["Address"], int(made["Endpoint"]["Port"])
    if this.aws.databases:
        host, port = this.aws.databases(
            identifier=this["identifier"], database=this.get("dbName", ""), user=this["username"], password=password
        )
    return this.answer(
        made["DbiResourceId"],
        arn=made["DBInstanceArn"],
        address=host,
        port=port,
        endpoint=f"{host}:{port}",
        resourceId=made["DbiResourceId"],
        status="available",
        masterUserSecrets=managed,
    )


def _master_secret(this: Making, instance: str, password: str) -> dict[str, Any]:
    key = {"KmsKeyId": this["masterUserSecretKmsKeyId"]} if "masterUserSecretKmsKeyId" in this.inputs else {}
    made = this.call(
        "secretsmanager:CreateSecret",
        Name=f"rds!{instance}",
        SecretString=json.dumps({"username": this["username"], "password": password}),
        **key,
    )
    named = {"kmsKeyId": key["KmsKeyId"]} if key else {}
    return {"secretArn": made["ARN"], "secretStatus": "active", **named}


def _stack(this: Making) -> Answer:
    made = this.create("cloudformation:CreateStack", rename={"name": "StackName"})
    deadline = time.monotonic() + _MADE_WITHIN
    while True:
        found = this.call("cloudformation:DescribeStacks", StackName=made["StackId"])["Stacks"][0]
        if found["StackStatus"] == "CREATE_COMPLETE":
            outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
            return this.answer(made["StackId"], outputs=outputs)
        if not found["StackStatus"].endswith("_IN_PROGRESS") or time.monotonic() >= deadline:
            why = found.get("StackStatusReason", "CloudFormation gave no reason")
            raise this.refused("cloudformation:CreateStack", f"{found['StackStatus']}: {why}")
        time.sleep(_LOOKED_EVERY)


TABLE: Final[Table] = {
    "aws:cloudformation/stack:Stack": _stack,
    "aws:rds/instance:Instance": _instance,
    "aws:rds/parameterGroup:ParameterGroup": _parameter_group,
    "aws:rds/subnetGroup:SubnetGroup": _subnet_group,
}
