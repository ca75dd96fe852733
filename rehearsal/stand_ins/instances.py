"""EC2 instances that tasks run on: launch templates, Auto Scaling groups, and capacity providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _launch_template(this: Making) -> Answer:
    # A description is the template's, and all else is its data's; the default version is set by an update alone.
    beside = ("name", "description", "defaultVersion", "updateDefaultVersion", "tags", "tagsAll", "region")
    data = {name: value for name, value in this.inputs.items() if name not in beside}
    inputs: dict[str, Any] = {"name": this["name"], "launchTemplateData": data}
    if "description" in this.inputs:
        inputs["versionDescription"] = this["description"]
    rename = {
        "name": "LaunchTemplateName",
        "launchTemplateData.vpcSecurityGroupIds": "SecurityGroupIds",
        "launchTemplateData.networkInterfaces.securityGroups": "Groups",
    }
    made = this.create("ec2:CreateLaunchTemplate", inputs=inputs, kind="launch-template", rename=rename)
    template = made["LaunchTemplate"]["LaunchTemplateId"]
    return this.answer(template, arn=this.arn("ec2", f"launch-template/{template}"), latestVersion=1, defaultVersion=1)


def _group(this: Making) -> Answer:
    # What the provider does beside the call: a refresh at a change, the wait for instances, and the way to an end.
    its_own = {"instanceRefresh", "forceDelete", "forceDeleteWarmPool", "waitForCapacityTimeout", "namePrefix"}
    inputs = {name: value for name, value in this.inputs.items() if name not in its_own}
    given: dict[str, Any] = {
        "VPCZoneIdentifier": ",".join(inputs.pop("vpcZoneIdentifiers", [])),
        "Tags": [
            {"Key": each["key"], "Value": str(each["value"]), "PropagateAtLaunch": each["propagateAtLaunch"]}
            for each in inputs.pop("tags", [])
        ],
    }
    rename = {"name": "AutoScalingGroupName", "protectFromScaleIn": "NewInstancesProtectedFromScaleIn"}
    this.create("autoscaling:CreateAutoScalingGroup", given, inputs=inputs, rename=rename)
    made = this.call("autoscaling:DescribeAutoScalingGroups", AutoScalingGroupNames=[this["name"]])
    found = made["AutoScalingGroups"][0]
    return this.answer(
        this["name"], arn=found["AutoScalingGroupARN"], desiredCapacity=found["DesiredCapacity"], availabilityZones=[]
    )


def _capacity_provider(this: Making) -> Answer:
    if "managedInstancesProvider" in this.inputs:
        # The emulator takes it, and forgets all that it says.
        this.validate_only()
    rename = {
        "managedInstancesProvider.instanceLaunchTemplate.instanceRequirements.vcpuCount": "vCpuCount",
        "managedInstancesProvider.instanceLaunchTemplate.instanceRequirements.memoryMib": "memoryMiB",
    }
    this.create("ecs:CreateCapacityProvider", rename=rename)
    arn = this.arn("ecs", f"capacity-provider/{this['name']}")
    return this.answer(arn, arn=arn)


def _instance_profile(this: Making) -> Answer:
    made = this.create(
        "iam:CreateInstanceProfile", {"InstanceProfileName": this["name"]}, apart=["name", "namePrefix", "role"]
    )["InstanceProfile"]
    if "role" in this.inputs:
        this.call("iam:AddRoleToInstanceProfile", InstanceProfileName=this["name"], RoleName=this["role"])
    return this.answer(this["name"], arn=made["Arn"], uniqueId=made["InstanceProfileId"])


TABLE: Final[Table] = {
    "aws:autoscaling/group:Group": _group,
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_template,
    "aws:ecs/capacityProvider:CapacityProvider": _capacity_provider,
    "aws:iam/instanceProfile:InstanceProfile": _instance_profile,
}
