"""Sets of actions that let their holder take more rights than it was given.

After Rhino Security Labs' list and Datadog's pathfinding.cloud; a test holds it against cloudsplaining's. Smallest sets
only: whoever has a larger one has a smaller one too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

_ALONE: Final = """
    iam:AddUserToGroup iam:AttachGroupPolicy iam:AttachRolePolicy iam:AttachUserPolicy iam:CreateAccessKey
    iam:CreateLoginProfile iam:CreatePolicyVersion iam:PutGroupPolicy iam:PutRolePolicy iam:PutUserPolicy
    iam:SetDefaultPolicyVersion iam:UpdateAssumeRolePolicy iam:UpdateLoginProfile
    glue:UpdateDevEndpoint lambda:UpdateFunctionCode sagemaker:CreatePresignedNotebookInstanceUrl
"""
_TOGETHER: Final = """
    bedrock-agentcore:StartCodeInterpreterSession bedrock-agentcore:InvokeCodeInterpreter
    cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet
    ec2:ModifyInstanceAttribute ec2:StopInstances ec2:StartInstances
    ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate
    ec2-instance-connect:SendSSHPublicKey ec2:DescribeInstances
    ecs:ExecuteCommand ecs:DescribeTasks
    sagemaker:CreateNotebookInstanceLifecycleConfig sagemaker:StopNotebookInstance sagemaker:UpdateNotebookInstance \
    sagemaker:StartNotebookInstance
"""
_PASSING_A_ROLE: Final = """
    apprunner:CreateService
    cloudformation:CreateStack
    cloudformation:CreateStackSet cloudformation:CreateStackInstances
    cloudformation:UpdateStackSet
    codebuild:CreateProject codebuild:StartBuild
    codebuild:CreateProject codebuild:StartBuildBatch
    datapipeline:CreatePipeline
    ec2:RequestSpotInstances
    ec2:RunInstances
    ecs:RegisterTaskDefinition ecs:CreateService
    ecs:RegisterTaskDefinition ecs:RunTask
    ecs:RegisterTaskDefinition ecs:StartTask
    glue:CreateDevEndpoint
    glue:CreateJob glue:CreateTrigger
    glue:CreateJob glue:StartJobRun
    glue:UpdateJob glue:CreateTrigger
    glue:UpdateJob glue:StartJobRun
    lambda:CreateFunction lambda:AddPermission
    lambda:CreateFunction lambda:CreateEventSourceMapping
    lambda:CreateFunction lambda:InvokeFunction
    sagemaker:CreateNotebookInstance
    sagemaker:CreateProcessingJob
    sagemaker:CreateTrainingJob
"""

SETS: Final = (
    *(frozenset({action}) for action in _ALONE.split()),
    *(frozenset(line.split()) for line in _TOGETHER.strip().splitlines()),
    *(frozenset({"iam:PassRole", *line.split()}) for line in _PASSING_A_ROLE.strip().splitlines()),
)
"""Each set, with AWS's own spelling."""

_LOWERED: Final = tuple((frozenset(action.lower() for action in group), sorted(group)) for group in SETS)


def complete(held: AbstractSet[str]) -> Iterator[list[str]]:
    """Every set that the actions *held* (in lower case) contain whole."""
    return (names for lowered, names in _LOWERED if lowered <= held)
