"""The one list of services that a deployment uses, and what of each it reads and writes.

Written are configurations, never data: no item, object or message, no secret's value but those that the program makes,
and no shell into a task. What goes further is narrowed down, in `OWN` and in `permissions`: a job runs as a task. A
deployment that needs more is refused with the name of the action, and here is where it goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service's actions, without its prefix."""

    read: str
    write: str


_TAGS: Final = "TagResource UntagResource"

GROUPS: Final[Mapping[str, Mapping[str, Service]]] = {
    "network": {
        "ec2": Service(
            read="Describe* GetManagedPrefixListEntries",
            write=(
                "AllocateAddress AssociateRouteTable AttachInternetGateway AuthorizeSecurityGroupEgress"
                " AuthorizeSecurityGroupIngress CreateFlowLogs CreateInternetGateway CreateLaunchTemplate"
                " CreateLaunchTemplateVersion CreateNatGateway CreateNetworkInterface CreateRoute CreateRouteTable"
                " CreateSecurityGroup CreateSubnet CreateTags CreateVpc CreateVpcEndpoint DeleteFlowLogs"
                " DeleteInternetGateway DeleteLaunchTemplate DeleteLaunchTemplateVersions DeleteNatGateway"
                " DeleteNetworkInterface DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags"
                " DeleteVpc DeleteVpcEndpoints DetachInternetGateway DetachNetworkInterface DisassociateAddress"
                " DisassociateRouteTable ModifyLaunchTemplate ModifyNetworkInterfaceAttribute"
                " ModifySecurityGroupRules ModifySubnetAttribute ModifyVpcAttribute ModifyVpcEndpoint ReleaseAddress"
                " ReplaceRoute ReplaceRouteTableAssociation RevokeSecurityGroupEgress RevokeSecurityGroupIngress"
                " RunInstances UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress"
            ),
        ),
    },
    "entrances": {
        "acm": Service(
            read="DescribeCertificate GetCertificate ListTagsForCertificate",
            write="AddTagsToCertificate DeleteCertificate RemoveTagsFromCertificate RequestCertificate"
            " UpdateCertificateOptions",
        ),
        # A stage's web ACL is asked of both services.
        "apigateway": Service(read="GET", write="DELETE PATCH POST PUT SetWebACL UpdateRestApiPolicy"),
        "elasticloadbalancing": Service(
            read="Describe*",
            write=(
                "AddListenerCertificates AddTags CreateListener CreateLoadBalancer CreateRule CreateTargetGroup"
                " DeleteListener DeleteLoadBalancer DeleteRule DeleteTargetGroup DeregisterTargets ModifyListener"
                " ModifyListenerAttributes ModifyLoadBalancerAttributes ModifyRule ModifyTargetGroup"
                " ModifyTargetGroupAttributes RegisterTargets RemoveListenerCertificates RemoveTags SetIpAddressType"
                " SetRulePriorities SetSecurityGroups SetSubnets"
            ),
        ),
        "lambda": Service(
            read="Get* List*",
            write=(
                f"AddPermission CreateFunction DeleteFunction DeleteFunctionConcurrency PutFunctionConcurrency"
                f" RemovePermission {_TAGS}"
            ),
        ),
        "servicediscovery": Service(
            read="Get* List*",
            write=(
                f"CreateHttpNamespace CreatePrivateDnsNamespace CreateService DeleteNamespace DeleteService"
                f" DeregisterInstance UpdateHttpNamespace UpdatePrivateDnsNamespace UpdateService {_TAGS}"
            ),
        ),
        "vpc-lattice": Service(
            read="Get* List*",
            write=(
                f"CreateListener CreateService CreateServiceNetwork CreateServiceNetworkServiceAssociation"
                f" CreateServiceNetworkVpcAssociation CreateTargetGroup DeleteAuthPolicy DeleteListener DeleteService"
                f" DeleteServiceNetwork DeleteServiceNetworkServiceAssociation"
                f" DeleteServiceNetworkVpcAssociation DeleteTargetGroup DeregisterTargets PutAuthPolicy"
                f" RegisterTargets UpdateListener UpdateService UpdateServiceNetwork"
                f" UpdateServiceNetworkVpcAssociation UpdateTargetGroup {_TAGS}"
            ),
        ),
        "wafv2": Service(read="GetWebACL GetWebACLForResource", write="AssociateWebACL DisassociateWebACL"),
    },
    "compute": {
        "application-autoscaling": Service(
            read="Describe* ListTagsForResource",
            write=(
                f"DeleteScalingPolicy DeleteScheduledAction DeregisterScalableTarget PutScalingPolicy"
                f" PutScheduledAction RegisterScalableTarget {_TAGS}"
            ),
        ),
        "autoscaling": Service(
            read="Describe*",
            write=(
                "CancelInstanceRefresh CreateAutoScalingGroup CreateOrUpdateTags DeleteAutoScalingGroup"
                " DeleteLifecycleHook DeleteScheduledAction DeleteTags DisableMetricsCollection EnableMetricsCollection"
                " PutLifecycleHook PutScheduledUpdateGroupAction ResumeProcesses SetInstanceProtection"
                " StartInstanceRefresh SuspendProcesses TerminateInstanceInAutoScalingGroup UpdateAutoScalingGroup"
            ),
        ),
        "ecs": Service(
            read="Describe* List*",
            write=(
                f"ContinueServiceDeployment CreateCapacityProvider CreateCluster CreateService"
                f" DeleteCapacityProvider DeleteCluster DeleteService DeleteTaskDefinitions DeregisterTaskDefinition"
                f" PutClusterCapacityProviders RegisterTaskDefinition StopServiceDeployment UpdateCapacityProvider"
                f" UpdateCluster UpdateClusterSettings UpdateService {_TAGS}"
            ),
        ),
        "scheduler": Service(
            read="Get* List*",
            write=f"CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup UpdateSchedule {_TAGS}",
        ),
        # The current ECS-optimised image, which AWS publishes as a parameter.
        "ssm": Service(read="GetParameter GetParameters", write=""),
        "states": Service(
            read="Describe* List* ValidateStateMachineDefinition",
            write=f"CreateStateMachine DeleteStateMachine UpdateStateMachine {_TAGS}",
        ),
    },
    "data": {
        # Stacks of one secret each, whose password Secrets Manager makes for CloudFormation, in its caller's name.
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
        "cloudformation": Service(
            read="DescribeStackEvents DescribeStackResources DescribeStacks GetTemplate",
            write=f"CreateStack DeleteStack UpdateStack {_TAGS}",
        ),
        "dynamodb": Service(
            read="Describe* ListTagsOfResource GetResourcePolicy",
            write=(
                f"CreateTable DeleteResourcePolicy DeleteTable PutResourcePolicy UpdateContinuousBackups"
                f" UpdateTable UpdateTimeToLive {_TAGS}"
            ),
        ),
        "elasticfilesystem": Service(
            read="Describe* ListTagsForResource",
            write=(
                f"CreateAccessPoint CreateFileSystem CreateMountTarget DeleteAccessPoint DeleteFileSystem"
                f" DeleteFileSystemPolicy DeleteMountTarget ModifyMountTargetSecurityGroups PutBackupPolicy"
                f" PutFileSystemPolicy PutLifecycleConfiguration UpdateFileSystem UpdateFileSystemProtection {_TAGS}"
            ),
        ),
        "kms": Service(
            read="DescribeKey GetKeyPolicy GetKeyRotationStatus ListAliases ListResourceTags",
            write=(
                f"CreateAlias CreateKey DeleteAlias DisableKeyRotation EnableKeyRotation PutKeyPolicy"
                f" ScheduleKeyDeletion UpdateAlias UpdateKeyDescription {_TAGS}"
            ),
        ),
        "rds": Service(
            read="Describe* ListTagsForResource",
            write=(
                "AddTagsToResource CreateDBInstance CreateDBParameterGroup CreateDBSnapshot CreateDBSubnetGroup"
                " DeleteDBInstance DeleteDBParameterGroup DeleteDBSubnetGroup ModifyDBInstance ModifyDBParameterGroup"
                " ModifyDBSubnetGroup RebootDBInstance RemoveTagsFromResource ResetDBParameterGroup"
            ),
        ),
        # Buckets, not what is in them: the provider asks each of these when it looks at one.
        "s3": Service(
            read="GetAccelerateConfiguration GetBucket* GetEncryptionConfiguration GetLifecycleConfiguration"
            " GetReplicationConfiguration ListBucket ListTagsForResource",
            write=(
                "CreateBucket DeleteBucket DeleteBucketPolicy PutBucketOwnershipControls PutBucketPolicy"
                " PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning PutEncryptionConfiguration"
                f" PutLifecycleConfiguration {_TAGS}"
            ),
        ),
        # In the caller's name RDS makes the master's secret, and CloudFormation each user's, with a random password.
        # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-permissions
        "secretsmanager": Service(
            read="DescribeSecret GetRandomPassword GetResourcePolicy ListSecretVersionIds",
            write=(
                f"CreateSecret DeleteResourcePolicy DeleteSecret PutResourcePolicy PutSecretValue"
                f" UpdateSecret UpdateSecretVersionStage {_TAGS}"
            ),
        ),
    },
    "messages": {
        "cloudwatch": Service(
            read="DescribeAlarms GetAlarmMuteRule ListTagsForResource",
            write=f"DeleteAlarmMuteRule DeleteAlarms PutAlarmMuteRule PutMetricAlarm {_TAGS}",
        ),
        "events": Service(
            read="DescribeRule ListTagsForResource ListTargetsByRule",
            write=f"DeleteRule DisableRule EnableRule PutRule PutTargets RemoveTargets {_TAGS}",
        ),
        "logs": Service(
            read="Describe* ListTagsForResource",
            write=(
                f"CreateLogDelivery CreateLogGroup DeleteLogDelivery DeleteLogGroup DeleteResourcePolicy"
                f" DeleteRetentionPolicy GetLogDelivery ListLogDeliveries PutResourcePolicy PutRetentionPolicy"
                f" UpdateLogDelivery {_TAGS}"
            ),
        ),
        "sns": Service(
            read="GetSubscriptionAttributes GetTopicAttributes ListTagsForResource",
            write=f"CreateTopic DeleteTopic SetSubscriptionAttributes SetTopicAttributes Subscribe Unsubscribe {_TAGS}",
        ),
        "sqs": Service(
            read="GetQueueAttributes GetQueueUrl ListQueueTags",
            write="CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue",
        ),
    },
}
"""Group, a policy of its own each → service → its actions. Policies are only so long."""
OWN: Final[Mapping[str, tuple[str, str]]] = {
    "lambda": ("function:*", "UpdateFunctionCode UpdateFunctionConfiguration"),
    # A value that the program makes is read back by the provider.
    "secretsmanager": ("secret:*", "GetSecretValue"),
}
"""Service → its resources, and what a deployment may do to those alone that have the project's tag.

It may tag, too: this holds its mistakes, and not somebody who means to.
"""
