"""What a deployment may do in a stack's account, and whoever looks at what it made.

Actions are on any resource, since what is to be made has no name yet; but in the stack's own region, in an account
that has no other. Secrets are read, and functions changed, by the project's tag. Jobs run on the stack's cluster alone.
Who may do what is in `identities`, and held to a path and a boundary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bootstrap.services import GROUPS, OWN
from components.grants import Grant
from pipeline.target import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from components.account import Account
    from pipeline.target import Target


_PASSED_TO: Final = (
    "apigateway.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "ecs.amazonaws.com",
    "events.amazonaws.com",
    "lambda.amazonaws.com",
    "scheduler.amazonaws.com",
    "states.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
"""Services that act under roles of the program's."""
_LINKED: Final = (
    "autoscaling.amazonaws.com",
    "ecs-compute.amazonaws.com",
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticfilesystem.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "ops.apigateway.amazonaws.com",
    "rds.amazonaws.com",
    "spot.amazonaws.com",
    "vpc-lattice.amazonaws.com",
)
"""Services that make a role of their own at their first use in an account, in the name of whoever uses them."""


def reading(account: Account, place: Target) -> dict[str, list[Grant]]:
    """Return what looks at all that a deployment makes, and changes nothing."""
    services = {name: service for group in GROUPS.values() for name, service in group.items()}
    actions = [f"{name}:{it}" for name, service in services.items() for it in service.read.split()]
    return {"services": [_in_region(actions, account), *_reading_roles(account, place), *_zones(account, write=False)]}


def deploying(account: Account, place: Target, boundary: str) -> dict[str, list[Grant]]:
    """Return what makes, changes and deletes a stack; each role that it makes is within *boundary*, an ARN."""
    groups = {
        group: [
            _in_region(
                [
                    f"{name}:{it}"
                    for name, service in services.items()
                    for it in (*service.read.split(), *service.write.split())
                ],
                account,
            )
        ]
        for group, services in GROUPS.items()
    }
    groups["network"] += _zones(account, write=True)
    groups["compute"] += _jobs(account, place)
    groups["data"] += [*_keys(account), _own("secretsmanager", account)]
    groups["entrances"].append(_own("lambda", account))
    return {**groups, "identities": identities(account, place, boundary)}


def never(resources: Mapping[str, Sequence[str]]) -> list[Grant]:
    """Return what a deployment may not do to *resources* (service → ARNs): whatever it may write to all others."""
    services = {name: service for group in GROUPS.values() for name, service in group.items()}
    return [
        Grant(actions=[f"{name}:{it}" for it in services[name].write.split()], resources=arns)
        for name, arns in resources.items()
    ]


def identities(account: Account, place: Target, boundary: str) -> list[Grant]:
    """Return what makes roles, which no list of names can hold: their path and their boundary do.

    Whatever such a role is given, the boundary leaves it nothing of IAM. Roles of another path, the pipeline's own
    among them, and the boundary itself cannot be touched; nor can users, groups or identity providers.
    """
    roles = _iam(account, f"role{place.role_path}*")
    profiles = _iam(account, f"instance-profile{place.role_path}*")
    bounded = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    return [
        *_reading_roles(account, place),
        Grant(
            actions=(
                *("iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
            ),
            resources=(roles,),
            conditions=bounded,
        ),
        Grant(
            actions=(
                *("iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:TagRole", "iam:UntagRole"),
                *("iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"),
            ),
            resources=(roles,),
        ),
        Grant(
            actions=(
                *("iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile"),
                *("iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:UntagInstanceProfile"),
            ),
            resources=(profiles,),
        ),
        Grant(
            actions=("iam:PassRole",),
            resources=(roles,),
            conditions={"StringEquals": {"iam:PassedToService": _PASSED_TO}},
        ),
        Grant(
            actions=("iam:CreateServiceLinkedRole",),
            resources=(_iam(account, "role/aws-service-role/*"),),
            conditions={"StringEquals": {"iam:AWSServiceName": _LINKED}},
        ),
    ]


def _reading_roles(account: Account, place: Target) -> list[Grant]:
    return [
        Grant(
            actions=(
                *("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
                *("iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags"),
            ),
            resources=(_iam(account, f"role{place.role_path}*"),),
        ),
        Grant(actions=("iam:GetInstanceProfile",), resources=(_iam(account, f"instance-profile{place.role_path}*"),)),
    ]


def _jobs(account: Account, place: Target) -> list[Grant]:
    """Return what `deployments.jobs.Runner` does in the process of ``pulumi up``, beside looking and passing roles.

    It runs the project's tasks, and stops them, on the stack's cluster: its name is the stage and Pulumi's suffix. Of
    logs it reads what tasks have written, since a job that failed is to say why.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    cluster = f"{place.stage}-???????"
    return [
        Grant(
            actions=("ecs:RunTask",),
            resources=(account.arn("ecs", "task-definition/*"),),
            conditions={
                "ArnLike": {"ecs:cluster": account.arn("ecs", f"cluster/{cluster}")},
                "StringEquals": {"aws:ResourceTag/Project": PROJECT},
            },
        ),
        Grant(actions=("ecs:StopTask",), resources=(account.arn("ecs", f"task/{cluster}/*"),)),
        Grant(actions=("logs:GetLogEvents",), resources=(account.arn("logs", "log-group:/ecs/*:log-stream:*"),)),
    ]


def _keys(account: Account) -> list[Grant]:
    """Return the use of keys, by services alone: a secret's value goes by one, and so does a database's or a volume's.

    RDS asks for them, and for `kms:DescribeKey`, where a key that is not AWS's own encrypts a database and its secrets.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-permissions
    """
    keys = (account.arn("kms", "key/*"),)
    services = [f"{service}.{account.region}.amazonaws.com" for service in ("rds", "secretsmanager")]
    return [
        Grant(
            actions=("kms:Decrypt", "kms:GenerateDataKey"),
            resources=keys,
            conditions={"StringEquals": {"kms:ViaService": services}},
        ),
        Grant(actions=("kms:CreateGrant",), resources=keys, conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ]


def _zones(account: Account, *, write: bool) -> list[Grant]:
    """Return the rights to Route 53, which has no region: Cloud Map makes a private zone in its caller's name."""
    read = ("route53:GetHostedZone", "route53:ListResourceRecordSets", "route53:ListTagsForResource")
    change = (
        *("route53:AssociateVPCWithHostedZone", "route53:ChangeResourceRecordSets", "route53:ChangeTagsForResource"),
        "route53:DeleteHostedZone",
    )
    return [
        Grant(
            actions=("route53:GetChange", "route53:ListHostedZones", "route53:ListHostedZonesByName")
            + (("route53:CreateHostedZone",) if write else ()),
            resources=("*",),
        ),
        Grant(
            actions=(*read, *change) if write else read,
            resources=(f"arn:{account.partition}:route53:::hostedzone/*",),
        ),
    ]


def _own(service: str, account: Account) -> Grant:
    """Return what is done to resources of *service* in the region that have the project's tag, as all of ours do."""
    resources, actions = OWN[service]
    return Grant(
        actions=[f"{service}:{it}" for it in actions.split()],
        resources=(account.arn(service, resources),),
        conditions={"StringEquals": {"aws:ResourceTag/Project": PROJECT}},
    )


def _in_region(actions: list[str], account: Account) -> Grant:
    return Grant(
        actions=actions, resources=("*",), conditions={"StringEquals": {"aws:RequestedRegion": account.region}}
    )


def _iam(account: Account, resource: str) -> str:
    return f"arn:{account.partition}:iam::{account.id}:{resource}"
