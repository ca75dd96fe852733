"""A deployment may make all that the program makes, and nothing by which it would be more than a deployment."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import pytest

from bootstrap import permissions, rights
from bootstrap.services import GROUPS
from components.account import Account
from pipeline.target import PROJECT, Target
from policies.rules.iam import actions
from tests.whole import ROOT, deployed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.grants import Grant

PLACE: Final = Target(stack="dev", stage="dev", account="111122223333", region="eu-west-1")
ACCOUNT: Final = Account(id=PLACE.account, region=PLACE.region)
BOUNDARY: Final = "arn:aws:iam::111122223333:policy/pipeline/boundary-dev"
KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/1"
ROLES: Final = "arn:aws:iam::111122223333:role/drydock/dev/*"

OPERATION: Final = re.compile(r"[a-z0-9-]+:[A-Z]\w+")
"""As stand-ins name what they call."""
PREFIXES: Final = {"elbv2": "elasticloadbalancing", "efs": "elasticfilesystem", "stepfunctions": "states"}
"""botocore's service → IAM's, where they differ."""
RENAMED: Final = {
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
VERBS: Final = {"Create": "POST", "Get": "GET", "Put": "PUT", "Update": "PATCH"}
"""API Gateway's actions are HTTP's."""
NOT_THE_PROGRAMS: Final = {"acm:ImportCertificate", "iam:CreatePolicy", "iam:CreateOpenIDConnectProvider"}
"""What a stand-in knows, and only the bootstrap stack or nobody does."""


UNDOES: Final = {
    "Add": "Remove",
    "Allocate": "Release",
    "Associate": "Disassociate",
    "Attach": "Detach",
    "Authorize": "Revoke",
    "Create": "Delete",
    "Enable": "Disable",
    "Put": "Delete",
    "Register": "Deregister",
    "Request": "Delete",
    "Subscribe": "Unsubscribe",
    "Tag": "Untag",
}
"""Verb of an action → verb of the one by which it is taken back."""
OTHERWISE: Final = {
    "acm:AddTagsToCertificate": "acm:RemoveTagsFromCertificate",
    "autoscaling:CreateOrUpdateTags": "autoscaling:DeleteTags",
    "autoscaling:PutScheduledUpdateGroupAction": "autoscaling:DeleteScheduledAction",
    "cloudwatch:PutMetricAlarm": "cloudwatch:DeleteAlarms",
    "events:PutTargets": "events:RemoveTargets",
    "iam:AddRoleToInstanceProfile": "iam:RemoveRoleFromInstanceProfile",
    "kms:CreateKey": "kms:ScheduleKeyDeletion",
    "rds:AddTagsToResource": "rds:RemoveTagsFromResource",
    "secretsmanager:PutSecretValue": "secretsmanager:DeleteSecret",
    "servicediscovery:CreateHttpNamespace": "servicediscovery:DeleteNamespace",
    "servicediscovery:CreatePrivateDnsNamespace": "servicediscovery:DeleteNamespace",
}
"""Action → by which it is taken back, where that is called otherwise."""
GOES_WITH_IT: Final = {
    "ecs:PutClusterCapacityProviders",
    "elasticfilesystem:PutBackupPolicy",
    "elasticfilesystem:PutLifecycleConfiguration",
    "iam:CreateServiceLinkedRole",  # the account's, and a service's to keep
    "iam:PutRolePermissionsBoundary",  # nobody may take it off
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "rds:CreateDBSnapshot",  # a database's last, which is to outlive it
    "route53:AssociateVPCWithHostedZone",
    # S3 has no action for taking these back: it is the same one.
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
}
"""What is a part of something else, or not to be taken back."""


def held(policies: Iterable[Iterable[Grant]]) -> set[str]:
    """Return every action, wildcards resolved."""
    patterns = {pattern for allowed in policies for grant in allowed for pattern in grant.actions}
    return {action.name for pattern in patterns for action in actions.expand(pattern)}


DEPLOYING: Final = permissions.deploying(ACCOUNT, PLACE, BOUNDARY)


def called() -> set[str]:
    """Return the action of every call by which a stand-in makes a resource."""
    source = "".join(path.read_text() for path in (ROOT / "rehearsal/stand_ins").glob("*.py"))
    return actions_of(set(re.findall(rf'"({OPERATION.pattern})"', source)))


def actions_of(operations: set[str]) -> set[str]:
    """Return the actions that *operations* ask for, but for those that are not the program's."""
    found: set[str] = set()
    for operation in operations - NOT_THE_PROGRAMS:
        service, name = operation.split(":")
        if service in ("apigateway", "apigatewayv2"):
            found.add(f"apigateway:{next(verb for begin, verb in VERBS.items() if name.startswith(begin))}")
        elif service != "ecr":  # the bootstrap stack's own
            found.add(RENAMED.get(operation, f"{PREFIXES.get(service, service)}:{name}"))
    return found


def test_all_that_the_rehearsal_makes_a_deployment_may_make() -> None:
    """Else the first `pulumi up` of a new kind of resource ends half-way."""
    calls = called()
    assert len(calls) > 80
    assert not calls - held(DEPLOYING.values())


def test_all_that_the_program_itself_asks_of_aws_while_it_deploys_it_may() -> None:
    """Jobs are run, and rollouts watched, by the process of `pulumi up`, with what the deployment's role may do."""
    source = "".join(path.read_text() for path in (ROOT / "deployments").glob("*.py"))
    calls = {
        f"{service}:{''.join(word.title() for word in call.split('_'))}"
        for service, call in re.findall(r"\b(ecs|logs)\.([a-z_]+)\(", source)
    }
    assert {"ecs:RunTask", "ecs:StopTask", "ecs:DescribeServices", "logs:GetLogEvents"} <= calls
    # ECS asks for the last where a task takes over its definition's tags.
    assert not {*calls, "ecs:TagResource"} - held(DEPLOYING.values())


@pytest.mark.parametrize(
    "needed",
    [
        # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-permissions
        {"kms:DescribeKey", "secretsmanager:CreateSecret", "secretsmanager:TagResource"},
        {"kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"},
        # What CloudFormation's own handlers of AWS::SecretsManager::Secret say that they ask for.
        {"secretsmanager:DescribeSecret", "secretsmanager:GetRandomPassword", "secretsmanager:GetSecretValue"},
        {"secretsmanager:UpdateSecret", "secretsmanager:UntagResource", "secretsmanager:DeleteSecret"},
        # https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html
        {"wafv2:AssociateWebACL", "apigateway:SetWebACL"},
    ],
)
def test_what_a_service_asks_for_in_its_name_it_may(needed: set[str]) -> None:
    """No stand-in calls these: RDS, CloudFormation and WAF do, and are refused as whoever deploys would be."""
    assert not needed - held(DEPLOYING.values())


def test_keys_are_used_by_services_that_keep_data_alone() -> None:
    (grant,) = (it for it in DEPLOYING["data"] if "kms:Decrypt" in it.actions)
    services = {"rds.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com"}
    assert {*grant.conditions["StringEquals"]["kms:ViaService"]} == services


def test_what_it_may_make_it_may_take_away_again() -> None:
    """Else a resource that is replaced is there twice, and a stack that is cleaned up is not."""
    may = held(DEPLOYING.values())
    assert OTHERWISE.keys() | GOES_WITH_IT <= may, "no longer made"
    stays = {
        action: undone
        for action in may - GOES_WITH_IT
        if (verb := re.split("(?=[A-Z])", action)[1]) in UNDOES
        and not {undone := OTHERWISE.get(action, action.replace(verb, UNDOES[verb], 1)), f"{undone}s"} & may
    }
    assert not stays


def test_every_action_is_one_of_awss() -> None:
    """A misspelt one grants nothing, and nobody is told."""
    for allowed in (*DEPLOYING.values(), *permissions.reading(ACCOUNT, PLACE).values()):
        for grant in allowed:
            assert not [pattern for pattern in grant.actions if not actions.expand(pattern)]


@pytest.mark.parametrize(
    "action",
    [
        *("dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject", "s3:PutObject", "sqs:ReceiveMessage", "sns:Publish"),
        *("lambda:InvokeFunction", "ecs:StartTask", "ecs:ExecuteCommand", "ssm:StartSession", "states:StartExecution"),
        *("iam:CreateUser", "iam:CreateAccessKey", "iam:CreatePolicy", "iam:CreatePolicyVersion"),
        *("iam:DeleteRolePermissionsBoundary", "iam:CreateOpenIDConnectProvider", "iam:UpdateLoginProfile"),
        *("sts:AssumeRole", "ecr:PutImage", "kms:Encrypt", "organizations:LeaveOrganization"),
    ],
)
def test_data_and_other_identities_are_not_a_deployments(action: str) -> None:
    assert action not in held(DEPLOYING.values())


def test_whoever_looks_for_drift_changes_nothing() -> None:
    reading = {
        name for grants in permissions.reading(ACCOUNT, PLACE).values() for grant in grants for name in grant.actions
    }
    levels = {action.level for pattern in reading for action in actions.expand(pattern)}
    assert levels <= {"Read", "List"}
    assert not {"s3:GetObject", "secretsmanager:GetSecretValue", "dynamodb:GetItem"} & held([[*_flat()]])


def _flat() -> list[Grant]:
    return [grant for grants in permissions.reading(ACCOUNT, PLACE).values() for grant in grants]


def test_a_role_gets_rights_only_within_its_boundary() -> None:
    """A deployment would make itself an administrator in two calls otherwise."""
    for name in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"):
        (grant,) = (it for it in DEPLOYING["identities"] if name in it.actions)
        assert grant.conditions == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}


def test_it_changes_no_role_but_its_own_stacks() -> None:
    """Its own role is on another path, and so is the other stack's."""
    for grant in DEPLOYING["identities"]:
        for resource in grant.resources:
            if "iam:CreateServiceLinkedRole" in grant.actions:
                assert resource == "arn:aws:iam::111122223333:role/aws-service-role/*"
            else:
                assert resource.split(":")[-1].split("/", 1)[1] == "drydock/dev/*"
    assert not fnmatchcase(PLACE.role_arn("deploy"), ROLES)


def test_it_passes_roles_of_its_stack_to_services_that_are_named() -> None:
    (grant,) = (it for it in DEPLOYING["identities"] if "iam:PassRole" in it.actions)
    assert list(grant.resources) == [ROLES]
    assert all("*" not in service for service in grant.conditions["StringEquals"]["iam:PassedToService"])


def test_whatever_is_on_any_resource_is_held_to_the_region() -> None:
    for group, allowed in DEPLOYING.items():
        for grant in allowed:
            if "*" in grant.resources and not all(name.startswith("route53:") for name in grant.actions):
                assert grant.conditions == {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, group


@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:111122223333:function:*"),
        ("lambda:UpdateFunctionConfiguration", "arn:aws:lambda:eu-west-1:111122223333:function:*"),
    ],
)
def test_secrets_and_functions_that_are_not_the_projects_are_not_its_to_read_or_change(action: str, on: str) -> None:
    """A function of somebody else's runs under a role that no boundary of ours holds."""
    (grant,) = (it for allowed in DEPLOYING.values() for it in allowed if action in held([[it]]))
    assert list(grant.resources) == [on]
    assert grant.conditions == {"StringEquals": {"aws:ResourceTag/Project": "drydock"}}


def test_all_that_the_program_makes_has_the_tag_by_which_it_is_known() -> None:
    """Else its own functions are nobody's, and the second `pulumi up` is refused."""
    for stack in ("dev", "prod"):
        (provider,) = deployed(stack).of("pulumi:providers:aws").values()
        assert json.loads(provider.inputs["defaultTags"])["tags"]["Project"] == PROJECT


def test_what_it_starts_it_may_stop() -> None:
    """A group of instances that is updated again, or deleted, while it replaces its instances."""
    assert {"autoscaling:StartInstanceRefresh", "autoscaling:CancelInstanceRefresh"} <= held(DEPLOYING.values())


def test_the_state_of_others_is_not_its_to_read_or_its_bucket_to_open() -> None:
    """The bootstrap stack's own state is in the same bucket."""
    objects = [
        resource
        for grant in rights.state(ACCOUNT, PLACE, KEY, write=True)
        for resource in grant.resources
        if "/.pulumi/" in resource
    ]
    bucket = "arn:aws:s3:::drydock-state-111122223333-eu-west-1/.pulumi"
    for mine in ("stacks/drydock/dev.json", "stacks/drydock/dev.json.bak", "locks/organization/drydock/dev/1.json"):
        assert any(fnmatchcase(f"{bucket}/{mine}", each) for each in objects)
    for others in ("stacks/drydock/dev2.json", "stacks/drydock-bootstrap/shared.json", "stacks/drydock/prod.json"):
        assert not any(fnmatchcase(f"{bucket}/{others}", each) for each in objects)
    never = permissions.never(rights.closed(ACCOUNT, PLACE, KEY))
    assert {"s3:PutBucketPolicy", "s3:DeleteBucket", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= held([never])
    # Nor may the refusal reach what it needs of its own state.
    needed = {name for grant in rights.state(ACCOUNT, PLACE, KEY, write=True) for name in grant.actions}
    assert not needed & held([never])


def test_reading_the_state_writes_nothing() -> None:
    """A pull request's workflow runs whatever its author wrote."""
    reading = rights.state(ACCOUNT, PLACE, KEY)
    assert {name for grant in reading for name in grant.actions} == {"s3:ListBucket", "s3:GetObject", "kms:Decrypt"}


def test_no_service_is_in_two_groups() -> None:
    """The later one would be read, and the earlier one written."""
    names = [name for group in GROUPS.values() for name in group]
    assert len(names) == len(set(names))
