"""What runs: ECS clusters, task definitions and services, their scaling, and Lambda functions."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

from rehearsal import wire
from rehearsal.monitor import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _cluster(this: Making) -> Answer:
    arn = this.create("ecs:CreateCluster", rename={"name": "clusterName"})["cluster"]["clusterArn"]
    return this.answer(arn, arn=arn)


def _cluster_capacity_providers(this: Making) -> Answer:
    # The operation wants both lists, the provider neither.
    lists: dict[str, Any] = {"capacityProviders": [], "defaultCapacityProviderStrategies": []}
    this.create("ecs:PutClusterCapacityProviders", inputs=lists | this.inputs, rename={"clusterName": "cluster"})
    return this.answer(this["clusterName"])


def _task_definition(this: Making) -> Answer:
    rename = {
        "volumes.dockerVolumeConfiguration": "dockerVolumeConfiguration",
        "volumes.hostPath": "host",
        "volumes.configureAtLaunch": "configuredAtLaunch",
    }
    made = this.create("ecs:RegisterTaskDefinition", apart=["trackLatest"], rename=rename)["taskDefinition"]
    arn = made["taskDefinitionArn"]
    bare, _, revision = arn.rpartition(":")
    return this.answer(this["family"], made, arn=arn, arnWithoutRevision=bare, revision=int(revision))


def _service(this: Making) -> Answer:
    arn = this.create("ecs:CreateService", inputs=service_inputs(this), rename=SERVICE_RENAME)["service"]["serviceArn"]
    return this.answer(arn, arn=arn)


def service_inputs(this: Making) -> dict[str, Any]:
    """Return a service's inputs as CreateService and UpdateService have them, but for their names."""
    deployment = dict(this.get("deploymentConfiguration", {}))
    parts = {
        "deploymentMaximumPercent": "maximumPercent",
        "deploymentMinimumHealthyPercent": "minimumHealthyPercent",
        "deploymentCircuitBreaker": "deploymentCircuitBreaker",
        "alarms": "alarms",
    }
    deployment |= {member: this[name] for name, member in parts.items() if name in this.inputs}
    network = dict(this.get("networkConfiguration", {}))
    if "assignPublicIp" in network:
        network["assignPublicIp"] = "ENABLED" if network["assignPublicIp"] else "DISABLED"
    # The provider waits, or not; a rehearsal looks at the tasks itself.
    its_own = ["forceDelete", "forceNewDeployment", "waitForSteadyState", "sigintRollback"]
    kept = {name: value for name, value in this.inputs.items() if name not in {*parts, *its_own}}
    if deployment:
        kept["deploymentConfiguration"] = deployment
    if network:
        kept["networkConfiguration"] = {"awsvpcConfiguration": network}
    return kept


SERVICE_RENAME: Final = {
    "name": "serviceName",
    "iamRole": "role",
    "orderedPlacementStrategies": "placementStrategy",
    "enableEcsManagedTags": "enableECSManagedTags",
    "loadBalancers.elbName": "loadBalancerName",
    "serviceConnectConfiguration.services.clientAlias": "clientAliases",
    "volumeConfiguration.managedEbsVolume": "managedEBSVolume",
}
"""Input of a service → member of the operations that make and update it, where names do not tell."""


def _scalable_target(this: Making) -> Answer:
    this.validate_only()
    this.create("application-autoscaling:RegisterScalableTarget", rename={"roleArn": "RoleARN"})
    arn = this.arn("application-autoscaling", f"scalable-target/{this.resource.name}")
    return this.answer(this["resourceId"], arn=arn)


def _scaling_policy(this: Making) -> Answer:
    this.validate_only()
    rename = {
        "name": "PolicyName",
        f"{_TRACKING}.customizedMetricSpecification.metrics.metricStat.metric.dimensions": "Dimensions",
    }
    inputs = {"policyType": "StepScaling"} | this.inputs
    this.create("application-autoscaling:PutScalingPolicy", inputs=inputs, rename=rename)
    arn = this.arn("autoscaling", f"scalingPolicy:{this['resourceId']}:policyName/{this['name']}")
    return this.answer(this["name"], arn=arn, alarmArns=[])


_TRACKING: Final = "targetTrackingScalingPolicyConfiguration"


def _function(this: Making) -> Answer:
    apart = {
        "code",
        "sourceCodeHash",
        "reservedConcurrentExecutions",
        "s3Bucket",
        "s3Key",
        "s3ObjectVersion",
        "imageUri",
    }
    apart |= {"replaceSecurityGroupsOnDestroy", "replacementSecurityGroupIds", "useResourceTimeoutForPropagation"}
    where = {"s3Bucket": "S3Bucket", "s3Key": "S3Key", "s3ObjectVersion": "S3ObjectVersion", "imageUri": "ImageUri"}
    code: dict[str, Any] = {member: this[name] for name, member in where.items() if name in this.inputs}
    if "code" in this.inputs:
        code["ZipFile"] = _zipped(this)
    rename = {"name": "FunctionName", "kmsKeyArn": "KMSKeyArn", "fileSystemConfig": "FileSystemConfigs"}
    made = this.create("lambda:CreateFunction", {"Code": code}, apart=apart, rename=rename)
    arn = made["FunctionArn"]
    if (reserved := this.get("reservedConcurrentExecutions", -1)) >= 0:
        this.call(
            "lambda:PutFunctionConcurrency", FunctionName=this["name"], ReservedConcurrentExecutions=int(reserved)
        )
    # What API Gateway calls a function: the API's own date is part of it.
    path = f"arn:{this.aws.partition}:apigateway:{this.aws.region}:lambda:path/2015-03-31/functions"
    version = str(made.get("Version", "$LATEST"))
    return this.answer(
        this["name"],
        made,
        arn=arn,
        qualifiedArn=f"{arn}:{version}",
        invokeArn=f"{path}/{arn}/invocations",
        qualifiedInvokeArn=f"{path}/{arn}:{version}/invocations",
        sourceCodeSize=made.get("CodeSize", 0),
        version=version,
    )


def _zipped(this: Making) -> bytes:
    """Return a function's archive as ZIP bytes, each file with the same date, so that the same code is the same ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        files = dict(_files(this, this["code"], ""))
        for name in sorted(files):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def _files(this: Making, part: Any, at: str) -> Iterator[tuple[str, bytes]]:
    if "text" in part:
        yield at, part["text"].encode()
    elif "assets" in part:
        for name, inner in part["assets"].items():
            yield from _files(this, inner, f"{at}/{name}".strip("/"))
    elif "path" in part:
        yield from _files_at(this, this.aws.project_dir / part["path"], at, wire.signature(part) == wire.ARCHIVE)
    else:
        raise Refused(f"{this.resource.type} {this.resource.name!r}: its code is at {part.get('uri')}, out of reach")


def _files_at(this: Making, path: Path, at: str, is_archive: bool) -> Iterator[tuple[str, bytes]]:  # noqa: FBT001
    if path.is_dir():
        for file in path.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{at}/{file.relative_to(path).as_posix()}".strip("/"), file.read_bytes()
    elif not path.is_file():
        raise Refused(f"{this.resource.type} {this.resource.name!r}: its code is at {path}, where there is nothing")
    elif is_archive:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{at}/{name}".strip("/"), archive.read(name)
    else:
        yield at, path.read_bytes()


def _permission(this: Making) -> Answer:
    rename = {"function": "FunctionName", "principalOrgId": "PrincipalOrgID"}
    this.create("lambda:AddPermission", rename=rename)
    return this.answer(this["statementId"])


TABLE: Final[Table] = {
    "aws:appautoscaling/policy:Policy": _scaling_policy,
    "aws:appautoscaling/target:Target": _scalable_target,
    "aws:ecs/cluster:Cluster": _cluster,
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": _cluster_capacity_providers,
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:lambda/function:Function": _function,
    "aws:lambda/permission:Permission": _permission,
}
