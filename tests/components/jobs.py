"""A job on a cluster, with the names and ARNs that AWS would give: what tests of guards and schedules start from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.image import Image
from components.task import Task, TaskArgs
from policies.rules.iam import documents, statements, trusts
from tests.components.recorder import Recorded, of_type, one, record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACCOUNT: Final = Account(id="123456789012", region="eu-west-1")
ALERTS: Final = ACCOUNT.arn("sns", "alerts")
NETWORK: Final = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d", cidr="10.0.0.0/16", zones=("a", "b"), app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d")
)
IMAGE: Final = Image.at("111122223333.dkr.ecr.eu-west-1.amazonaws.com/etl@sha256:" + "a" * 64)
CLUSTER_ARN: Final = ACCOUNT.arn("ecs", "cluster/main-1a2b3c4")


def cluster(name: str = "main") -> Cluster:
    """Make a cluster."""
    return Cluster(name, ClusterArgs(account=ACCOUNT))


def task(name: str = "etl") -> Task:
    """Make a task of one container, whose family is *name*."""
    return Task(name, TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)]))


def recorded(build: Callable[[], object], *, preview: bool = False) -> list[Recorded]:
    """Run *build*; what it makes has ARNs as in an account."""
    return record(build, outputs=None if preview else _named, preview=preview)


def _named(token: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    physical = inputs.get("name", f"{name}-1a2b3c4")
    kinds = {
        "aws:ecs/cluster:Cluster": ("ecs", f"cluster/{physical}"),
        "aws:ecs/taskDefinition:TaskDefinition": ("ecs", f"task-definition/{inputs.get('family')}:7"),
        "aws:sfn/stateMachine:StateMachine": ("states", f"stateMachine:{physical}"),
        "aws:sqs/queue:Queue": ("sqs", physical),
    }
    if token == "aws:iam/role:Role":  # noqa: S105 - a type's
        return {"name": physical, "arn": f"arn:aws:iam::{ACCOUNT.id}:role/{physical}"}
    return {"name": physical} | ({"arn": ACCOUNT.arn(*kinds[token])} if token in kinds else {})


def policy(resources: list[Recorded], role: str) -> list[dict[str, Any]]:
    """Return the statements of the one policy of *role*, which our own definition of least privilege passes."""
    text = one(resources, ":RolePolicy", role).inputs["policy"]
    parsed = documents.parse(text)
    assert parsed
    assert statements.judge(parsed, ["ecs-tasks.amazonaws.com"]) == []
    return json.loads(text)["Statement"]


def trust(resources: list[Recorded], role: str) -> dict[str, Any]:
    """Return the one statement of the trust of *role*, which our own definition of a held service passes."""
    text = one(resources, ":Role", role).inputs["assumeRolePolicy"]
    (parsed,) = trusts.parse(text) or []
    assert trusts.judge(parsed, [], {ACCOUNT.id}) is None
    (statement,) = json.loads(text)["Statement"]
    return statement


def named(resources: list[Recorded], token: str) -> dict[str, Any]:
    """Return the physical names of the resources of type *token*, by logical name; None where Pulumi adds a suffix."""
    return {name: each.inputs.get("name") for name, each in of_type(resources, token).items()}


def to_run(family: str) -> list[dict[str, Any]]:
    """Return the statements that running tasks of *family* takes, whole."""
    role = f"arn:aws:iam::{ACCOUNT.id}:role/{family}"
    return [
        {
            "Effect": "Allow",
            "Action": ["ecs:RunTask"],
            "Resource": [ACCOUNT.arn("ecs", f"task-definition/{family}:*")],
            "Condition": {"ArnEquals": {"ecs:cluster": CLUSTER_ARN}},
        },
        {
            "Effect": "Allow",
            "Action": ["ecs:TagResource"],
            "Resource": [ACCOUNT.arn("ecs", "task/main-1a2b3c4/*")],
            "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        },
        {
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [f"{role}-task-1a2b3c4", f"{role}-execution-1a2b3c4"],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
    ]
