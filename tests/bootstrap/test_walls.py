"""The walls around a deployment as IAM weighs them: what its role may make, and what may ever be done by what it made.

Weighed by the emulator's own evaluator, which has IAM's order: refusals, what is allowed, and what the boundary leaves.
"""

from __future__ import annotations

import importlib
import json
from functools import partial
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline import target
from rehearsal import stand_ins
from tests.bootstrap.test_permissions import DEPLOYING, OPERATION, actions_of, held
from tests.bootstrap.test_program import whole
from tests.whole import ROOT, deployed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.graph import Registered

iam: Any = importlib.import_module("ministack.core.iam_evaluator")

each_stack = pytest.mark.parametrize("stack", ["dev", "prod"])
PLACES: Final = {stack: target.of(ROOT, stack) for stack in ("dev", "prod")}


def documents(prefix: str) -> list[dict[str, Any]]:
    """Return the policies of the bootstrap stack whose names begin with *prefix*, as a preview has them."""
    made = whole(preview=True).of("aws:iam/policy:Policy")
    return [json.loads(each.inputs["policy"]) for name, each in made.items() if name.startswith(prefix)]


def boundary(stack: str) -> str:
    """Return the ARN of the boundary that the bootstrap stack makes for *stack*."""
    place = PLACES[stack]
    return f"arn:aws:iam::{place.account}:policy{target.PATH}{place.boundary}"


def arn(stack: str, resource: Registered) -> str:
    """Return the ARN that a role or an instance profile of *stack* will have."""
    kind = {"Role": "role", "InstanceProfile": "instance-profile"}[resource.type.rpartition(":")[2]]
    return f"arn:aws:iam::{PLACES[stack].account}:{kind}{resource.inputs['path']}{resource.inputs['name']}"


def may(
    stack: str, action: str, on: str, policies: list[dict[str, Any]], *limits: Any, region: str = "", **context: str
) -> bool:
    """Say whether *policies*, within *limits*, allow *action* on the resource *on* of *stack*; in its own region.

    A key of *context* without a service's name is IAM's own.
    """
    place = PLACES[stack]
    asked = iam.EvalContext(
        principal_arn=f"arn:aws:sts::{place.account}:assumed-role/it/run",
        principal_type="AssumedRole",
        principal_account=place.account,
        action=action,
        resource_arn=on,
        region=region or place.region,
        service_context={(key if ":" in key else f"iam:{key}").lower(): value for key, value in context.items()},
    )
    parsed = [[iam.parse_policy_document(each) for each in layer] for layer in (policies, *limits)]
    return iam.evaluate(asked, *parsed).decision == "Allow"


def deploys(stack: str, action: str, on: str, **context: str) -> bool:
    """Say whether the deployment of *stack* may do *action* on the resource *on*."""
    return may(stack, action, on, documents(f"deploy-{stack}-"), **context)


GIVING: Final = ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary")


@each_stack
def test_every_role_of_the_program_is_one_that_its_deployment_may_make_and_pass(stack: str) -> None:
    """The first `pulumi up` by the pipeline would end at the first role otherwise."""
    roles = deployed(stack).of("aws:iam/role:Role").values()
    assert len(roles) > 5
    for role in roles:
        own, bounded = arn(stack, role), role.inputs["permissionsBoundary"]
        (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert bounded == boundary(stack)
        for action in GIVING:
            assert deploys(stack, action, own, PermissionsBoundary=bounded), own
        for action in ("iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:TagRole"):
            assert deploys(stack, action, own), own
        assert deploys(stack, "iam:PassRole", own, PassedToService=trust["Principal"]["Service"]), own


@each_stack
def test_every_instance_profile_of_the_program_is_one_that_its_deployment_may_make(stack: str) -> None:
    for profile in deployed(stack).of(":InstanceProfile").values():
        for action in ("iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:DeleteInstanceProfile"):
            assert deploys(stack, action, arn(stack, profile)), profile.urn


@pytest.mark.parametrize(
    ("role", "bounded"),
    [
        ("role/drydock/dev/mine", ""),
        ("role/drydock/dev/mine", "arn:aws:iam::111122223333:policy/drydock/dev/mine"),
        ("role/drydock/dev/mine", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("role/drydock/dev/mine", boundary("prod")),
        ("role/mine", boundary("dev")),
        ("role/drydock/prod/mine", boundary("dev")),
        ("role/drydock/dev2/mine", boundary("dev")),
        ("role/pipeline/deploy-dev", boundary("dev")),
    ],
)
def test_another_role_it_can_neither_make_nor_give_anything_to(role: str, bounded: str) -> None:
    """Outside the path, or without that very boundary."""
    context = {"PermissionsBoundary": bounded} if bounded else {}
    for action in GIVING:
        assert not deploys("dev", action, f"arn:aws:iam::111122223333:{role}", **context), action


@pytest.mark.parametrize(
    ("role", "to"),
    [
        ("role/pipeline/deploy-dev", "ecs-tasks.amazonaws.com"),
        ("role/administrator", "lambda.amazonaws.com"),
        ("role/drydock/prod/etl", "ecs-tasks.amazonaws.com"),
        ("role/drydock/dev/etl", "glue.amazonaws.com"),
    ],
)
def test_another_role_it_cannot_hand_to_a_service_nor_its_own_to_one_that_it_does_not_use(role: str, to: str) -> None:
    """Whoever hands the administrator's role to a task of theirs is the administrator."""
    assert not deploys("dev", "iam:PassRole", f"arn:aws:iam::111122223333:{role}", PassedToService=to)


@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("iam:DeleteRolePermissionsBoundary", "role/drydock/dev/mine"),
        ("iam:CreatePolicyVersion", "policy/pipeline/boundary-dev"),
        ("iam:SetDefaultPolicyVersion", "policy/pipeline/boundary-dev"),
        ("iam:DeletePolicy", "policy/pipeline/boundary-dev"),
        ("iam:UpdateAssumeRolePolicy", "role/pipeline/deploy-dev"),
        ("iam:AddRoleToInstanceProfile", "instance-profile/mine"),
    ],
)
def test_the_walls_themselves_it_cannot_move(action: str, on: str) -> None:
    assert not deploys("dev", action, f"arn:aws:iam::111122223333:{on}")


def test_a_role_with_every_right_there_is_can_make_no_other_and_not_reach_the_state() -> None:
    """So that whoever deploys, and runs code under what they made, can give nobody a right, and stays in the region."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for action, on in (
        ("iam:CreateRole", "arn:aws:iam::111122223333:role/drydock/dev/mine"),
        ("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/pipeline/deploy-dev"),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/administrator"),
        ("s3:GetObject", f"arn:aws:s3:::{PLACES['dev'].state_bucket}/.pulumi/stacks/drydock/dev.json"),
    ):
        assert may("dev", action, on, [everything])
        assert not may("dev", action, on, [everything], documents("boundary-dev"))
    running = "ec2:RunInstances", "arn:aws:ec2:*:111122223333:instance/*", [everything], documents("boundary-dev")
    assert may("dev", *running)
    assert not may("dev", *running, region="us-east-1")


@each_stack
def test_all_that_the_programs_roles_are_given_is_within_their_boundary(stack: str) -> None:
    """A role would be refused what its own policy allows, and nothing tells that it was the boundary."""
    program, wall = deployed(stack), documents(f"boundary-{stack}")
    arns = {f"{name}.arn": arn(stack, role) for name, role in program.of("aws:iam/role:Role").items()}
    policies = program.of("aws:iam/rolePolicy:RolePolicy").values()
    assert len(policies) > 5
    beyond = [
        f"{policy.name}: {action} on {resource}"
        for policy in policies
        for action, resource in _granted(policy)
        if not may(stack, action, arns.get(resource, resource), wall)
    ]
    assert not beyond


def _granted(policy: Registered) -> Iterator[tuple[str, str]]:
    for statement in json.loads(policy.inputs["policy"])["Statement"]:
        for action in statement["Action"]:
            yield from ((action, resource) for resource in statement["Resource"])


def ecs(stack: str, resource: str, account: str = "") -> str:
    """Return the ARN of ECS's *resource* in the region of *stack*, in *account* or its own."""
    return f"arn:aws:ecs:{PLACES[stack].region}:{account or PLACES[stack].account}:{resource}"


CLUSTER: Final = {stack: f"{place.stage}-1a2b3c4" for stack, place in PLACES.items()}
"""As Pulumi names it."""


@each_stack
def test_a_deployment_may_run_the_projects_jobs_on_the_stacks_cluster_and_stop_them(stack: str) -> None:
    """A migration that a deployment may not run is a service that never gets its new version."""
    assert deployed(stack).one("ecs/cluster:Cluster").name == PLACES[stack].stage
    project = deployed(stack).one("pulumi:providers:aws").inputs["defaultTags"]
    said = {"aws:ResourceTag/Project": json.loads(project)["tags"]["Project"]}
    cluster = ecs(stack, f"cluster/{CLUSTER[stack]}")
    assert deploys(stack, "ecs:RunTask", ecs(stack, "task-definition/migration:7"), **said, **{"ecs:cluster": cluster})
    assert deploys(stack, "ecs:StopTask", ecs(stack, f"task/{CLUSTER[stack]}/0123456789abcdef"))


@pytest.mark.parametrize(
    ("cluster", "project"),
    [
        ("", "drydock"),
        (ecs("dev", f"cluster/{CLUSTER['dev']}"), ""),
        (ecs("dev", f"cluster/{CLUSTER['dev']}"), "shop"),
        (ecs("dev", "cluster/dev-tools-1a2b3c4"), "drydock"),
        (ecs("dev", "cluster/mydev-1a2b3c4"), "drydock"),
        (ecs("dev", "cluster/dev"), "drydock"),
        (ecs("dev", f"cluster/{CLUSTER['dev']}", account="444455556666"), "drydock"),
    ],
)
def test_another_task_or_on_another_cluster_it_may_not_run(cluster: str, project: str) -> None:
    """Nor one of which it is not said whose it is."""
    said = {key: it for key, it in (("ecs:cluster", cluster), ("aws:ResourceTag/Project", project)) if it}
    assert not deploys("dev", "ecs:RunTask", ecs("dev", "task-definition/migration:7"), **said)


def test_it_stops_no_task_of_another_cluster() -> None:
    assert not deploys("dev", "ecs:StopTask", ecs("dev", "task/dev-tools-1a2b3c4/0123456789abcdef"))


@each_stack
def test_it_reads_what_tasks_say_and_no_other_log(stack: str) -> None:
    """What failed has to be told; a flow log or an API's access log has other people's addresses."""
    place, tasks = PLACES[stack], deployed(stack).of("ecs/taskDefinition:TaskDefinition").values()
    groups = {
        each["logConfiguration"]["options"]["awslogs-group"]
        for task in tasks
        for each in json.loads(task.inputs["containerDefinitions"])
    }
    assert len(groups) > 5

    def reads(group: str) -> bool:
        of = f"arn:aws:logs:{place.region}:{place.account}:log-group:{group}:log-stream:one/two/three"
        return deploys(stack, "logs:GetLogEvents", of)

    assert not [group for group in groups if not reads(group)]
    assert not [
        group for group in ("/api-gateway/shop", "/aws/rds/instance/shop/postgresql", "/vpc/main") if reads(group)
    ]


@each_stack
def test_a_deployment_may_make_each_kind_of_resource_that_the_program_has(stack: str) -> None:
    """The calls by which the rehearsal makes it; `pulumi up` would be refused half-way otherwise."""
    kinds = {each.type for each in deployed(stack).graph if each.type.startswith("aws:")}
    calls = {kind: actions_of(_operations(stand_ins.TABLE[kind])) for kind in kinds}
    assert len(kinds) > 30
    # Made by a service that is no deployment's to use but in development.
    images = {kind for kind in kinds if kind.startswith("aws:ecr/")}
    assert [kind for kind in kinds - images if not calls[kind]] == []
    # As beginnings: which of two a rule of a security group asks for is known when it is made.
    may_do = tuple(held(DEPLOYING.values()))
    assert not [
        (kind, call) for kind in kinds - images for call in calls[kind] if not any(it.startswith(call) for it in may_do)
    ]


def _operations(function: Any, seen: frozenset[Any] = frozenset()) -> set[str]:
    """Return each ``service:Operation`` that *function* names, and the functions beside it that it calls."""
    if isinstance(function, partial):
        said = [*function.args, *function.keywords.values()]
        return _operations(function.func) | {each for each in said if OPERATION.fullmatch(str(each))}
    found: set[str] = set()
    pending: list[CodeType] = [function.__code__]
    while pending:
        code = pending.pop()
        pending += [each for each in code.co_consts if isinstance(each, CodeType)]
        found |= {each for each in code.co_consts if isinstance(each, str) and OPERATION.fullmatch(each)}
        for name in code.co_names:
            beside = function.__globals__.get(name)
            if isinstance(beside, FunctionType) and beside not in seen:
                found |= _operations(beside, seen | {beside})
    return found
