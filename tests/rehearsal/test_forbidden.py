"""What a role must be refused is tried, and a refusal counts only where another role shows that the call is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import forbidden
from rehearsal.emulator import launch
from rehearsal.forbidden import ForbiddenError
from rehearsal.graph import Registered
from rehearsal.keeper import keep
from rehearsal.requests import EntranceError
from rehearsal.script import Script
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.emulator import Emulator

ACCOUNT = "111122223333"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
)
READ = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", '
    '"Resource": "arn:aws:s3:::till/*"}]}'
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """A bucket that `till` may read and `shop` may not."""
    with keep() as run:
        running = launch(run, account=ACCOUNT, region="eu-west-1")
        iam, s3 = running.client("iam"), running.client("s3")
        for name in ("shop", "till"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName="till", PolicyName="till", PolicyDocument=READ)
        s3.create_bucket(Bucket="till", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="till", Key="day", Body=b"1")
        yield running
        running.stop()


def tree() -> Tree:
    """A workload of two services, each with a role of its name."""
    graph = [registered("drydock:index:Workload", "shops", parent="")]
    for name in ("shop", "till"):
        role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        graph.append(registered("aws:ecs/taskDefinition:TaskDefinition", name, {"taskRoleArn": role}))
        graph.append(registered("aws:ecs/service:Service", name, {"taskDefinition": f"{name}.arn"}))
    return Tree(graph, {"workloads": {"shops": {"bucket_name": "till"}}})


def registered(token: str, name: str, inputs: dict[str, Any] | None = None, parent: str = "shops") -> Registered:
    return Registered(
        urn=name if not parent else f"{token} {name}",
        type=token,
        name=name,
        parent=parent,
        custom=bool(parent),
        inputs=inputs or {},
        outputs={"arn": f"{name}.arn"},
    )


def script(**said: Any) -> Script:
    whole: dict[str, Any] = {
        "name": "shop reads nothing of till's",
        "service": "shop",
        "call": "s3:GetObject",
        "parameters": {"Bucket": "{bucket_name}", "Key": "day"},
        "allowed_to": "till",
    }
    return Script.model_validate({"forbidden": [whole | said]})


def prove(emulator: Emulator, **said: Any) -> tuple[str, ...]:
    (only,) = script(**said).forbidden
    return forbidden.prove(tree(), "shops", only, emulator).problems


def test_a_refusal_that_is_wanted_is_no_lack(emulator: Emulator) -> None:
    """The role is to have no more than it has."""
    before = emulator.denials()
    assert prove(emulator) == ()
    assert emulator.denials() == before


def test_a_role_that_may_all_the_same_is_told(emulator: Emulator) -> None:
    (problem,) = prove(emulator, service="till")
    assert problem == "expected IAM to refuse it to 'till': it was answered"


def test_a_call_that_nobody_may_make_shows_nothing(emulator: Emulator) -> None:
    """Had the object another name, the refusal would be there too."""
    (problem,) = prove(emulator, allowed_to="shop")
    assert problem.startswith("expected an answer for 'shop'")
    assert "AccessDenied" in problem


def test_another_failure_is_no_refusal(emulator: Emulator) -> None:
    problems = prove(emulator, service="till", parameters={"Bucket": "{bucket_name}", "Key": "another"})
    assert len(problems) == 2
    assert "NoSuchKey" in problems[0]


def test_an_action_that_is_none_is_told(emulator: Emulator) -> None:
    with pytest.raises(ForbiddenError, match=r"'s3:ReadObject', which boto3 does not know"):
        prove(emulator, call="s3:ReadObject")


def test_a_service_or_output_that_is_not_there_is_told_before_anything_is_made() -> None:
    with pytest.raises(ForbiddenError, match=r"shops: `forbidden` names the service 'shp'; it has shop, till"):
        forbidden.check(tree(), "shops", script(service="shp"))
    with pytest.raises(EntranceError, match="names the output 'bucket'"):
        forbidden.check(tree(), "shops", script(parameters={"Bucket": "{bucket}"}))
    forbidden.check(tree(), "shops", script())
