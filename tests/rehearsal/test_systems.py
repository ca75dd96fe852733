"""What is said in one line of each system."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rehearsal import systems
from rehearsal.result import Asked, LeftOut, Ran, Refused, Replaced, Resource, Result, Verdict
from rehearsal.systems import System

TARGET = "aws:appautoscaling/target:Target"


def resource(name: str, parent: str, token: str) -> Resource:
    custom = token.startswith("aws")
    return Resource(
        urn=f"urn:{name}",
        type=token,
        name=name,
        id=f"arn:aws:x/{name}-1a2b3c4" if custom else "",
        parent=f"urn:{parent}",
        custom=custom,
        seconds=0.0,
        proof="validated" if token == TARGET else "enacted" if custom else "local",
    )


def asked(*, ok: bool = True) -> Asked:
    return Asked(
        workload="shop", name="x", entrance="url", method="GET", path="/", status=200 if ok else 500, seconds=0, ok=ok
    )


@pytest.fixture
def result() -> Result:
    """Return a rehearsal of a shop that was asked, and of books that were not."""
    resources = [
        resource("platform", "stack", "drydock:index:Platform"),
        resource("main", "platform", "aws:ec2/vpc:Vpc"),
        resource("shop", "stack", "drydock:index:Shop"),
        resource("shop-task", "shop", "drydock:index:Task"),
        resource("shop-role", "shop-task", "aws:iam/role:Role"),
        resource("shop-service", "shop", "aws:ecs/service:Service"),
        resource("books", "stack", "drydock:index:Books"),
        resource("books-web", "books", TARGET),
        resource("books-api", "books", TARGET),
    ]
    outputs = {"workloads": {"shop": {"url": "http://x"}, "books": {}}}
    return Result(stack="dev", created=True, resources=resources, outputs=outputs, requests=[asked()])


def lines(result: Result) -> dict[str, str]:
    return {name: str(each) for name, each in systems.of(result).items()}


def test_each_workload_has_a_line_and_one_that_was_not_asked_says_so(result: Result) -> None:
    """Silence would pass for proof."""
    assert list(lines(result).items()) == [
        ("books", "nothing asked; validated only: appautoscaling.Target (2)"),
        ("shop", "1 of 1 requests"),
    ]
    assert systems.of(result)["books"] == System(ok=True, shown=(), left_out=0, validated={TARGET: 2})


def test_every_kind_of_what_was_shown_is_counted_with_what_went_wrong(result: Result) -> None:
    result.requests.append(asked(ok=False))
    result.forbidden.append(Refused(workload="shop", name="x", service="web", call="s3:GetObject"))
    result.jobs.append(
        Ran(workload="shop", name="x", started="by hand", outcome="succeeded", exit_code=0, seconds=1, ok=True)
    )
    replaced = Replaced(
        workload="shop",
        name="x",
        service="web",
        before="web:1",
        after="web:2",
        outcome="completed",
        told="",
        requests=1526,
        answers={},
        exit_codes=(),
        seconds=1,
        ok=True,
    )
    result.replacements += [replaced, replace(replaced, requests=1000), replace(replaced, workload="books")]
    result.left_out.append(LeftOut(workload="shop", kind="jobs", name="y", why="mode is 'b'"))
    assert lines(result)["shop"] == (
        "1 of 2 requests, 1 of 1 calls refused, 1 of 1 jobs, 2 of 2 replacements under 2,526 requests; "
        "1 not for this stack"
    )


def test_a_job_before_a_deployment_is_counted_once_it_has_run(result: Result) -> None:
    """One that was started may have failed, and one that no service waits for is made and never run."""
    result.resources += [resource(name, "shop", "drydock:index:Job") for name in ("migrate", "unused")]
    result.notes.append("job 'migrate' runs, as task 1a2b")
    assert lines(result)["shop"] == "1 of 1 requests"
    result.notes.append("job 'migrate' (task 1a2b) has run")
    assert lines(result)["shop"] == "1 of 2 jobs before deployments, 1 of 1 requests"


def test_what_the_workloads_share_has_a_line_where_some_of_it_was_validated_only(result: Result) -> None:
    assert "platform" not in lines(result)
    result.resources.append(resource("general", "platform", TARGET))
    assert list(lines(result).items())[-1] == (
        "platform",
        "1 resource made; validated only: appautoscaling.Target (1)",
    )


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        ("shop: GET / (x):\n  status: expected 200, got 500\n  | no 'books-web' here", {"shop"}),
        ("role 'shop-role' lacks s3:GetObject on * (no statement)", {"shop"}),
        ("service 'shop-service-1a2b3c4': a container ended of itself", {"shop"}),
        ("aws:ec2/vpc:Vpc 'main': refused", {"platform"}),
        ("shopping is over", set[str]()),
    ],
)
def test_an_error_is_held_against_the_system_it_speaks_of(result: Result, error: str, blamed: set[str]) -> None:
    """By its beginning, or by a resource's name, logical or physical; never by what a container happened to print."""
    result.fail(error)
    assert {name for name, each in systems.of(result).items() if not each.ok} == blamed


def test_a_violation_is_held_against_whoever_has_the_resource(result: Result) -> None:
    note = Verdict(pack="tags", rule="tags", level="advisory", urn="urn:books-web", message="x: y")
    result.policies += [note, replace(note, level="mandatory", urn="urn:shop-role")]
    assert [name for name, each in systems.of(result).items() if not each.ok] == ["shop"]


def test_a_deployment_that_failed_names_its_systems_all_the_same(result: Result) -> None:
    """It hands out nothing that would say which there are."""
    result.outputs, result.requests = {}, []
    result.fail("aws:ecs/service:Service 'shop-service': refused")
    found = systems.of(result)
    assert {name: each.ok for name, each in found.items()} == {"books": True, "shop": False}
    assert str(found["shop"]) == "nothing asked"


def test_where_nothing_was_made_or_there_are_no_workloads_there_are_no_systems(result: Result) -> None:
    """A preview asks nothing of anybody, and a bootstrap stack has none."""
    assert systems.of(replace(result, created=False)) == {}
    assert systems.of(replace(result, outputs={"repositories": []})) == {}


@pytest.mark.parametrize(
    ("token", "short"),
    [("aws:ec2/subnet:Subnet", "ec2.Subnet"), ("awsx:ecr:Image", "ecr.Image"), ("drydock:index:Task", "Task")],
)
def test_a_type_is_told_as_programs_write_it(token: str, short: str) -> None:
    assert systems.short_type(token) == short
