"""What holds for every pack: a crash refuses, and tokens are the provider's own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from policies.pack import Pack
from policies.resources import Graph, Resource
from policies.rules import least_privilege, private_network, routes, tags
from tests.policies.build import made

if TYPE_CHECKING:
    from collections.abc import Iterator


def crashing(message: str) -> Pack[Any]:
    def judge(*_: Any) -> Iterator[Any]:
        raise ValueError(message)
        yield

    return Pack(
        name="p",
        description="d",
        rules=frozenset(),
        read=lambda _: None,
        schema={},
        on_resource=judge,
        on_graph=judge,
    )


def test_a_rule_that_crashes_refuses_the_resource() -> None:
    (violation,) = crashing("x").judge_resource(made("aws:sqs/queue:Queue", "q"))
    assert "crash: ValueError" in violation[0]
    assert "test_pack.py" in violation[0]


def test_a_rule_that_crashes_refuses_the_graph() -> None:
    assert "crash: ValueError" in crashing("x").judge_graph(Graph([]))[0][0]


def test_a_crash_quotes_no_value() -> None:
    """An error's text may hold what it failed on, and rules see secrets in plain text."""
    assert "hunter2" not in str(crashing("hunter2").judge_resource(made("aws:sqs/queue:Queue", "q")))


def test_a_pack_remembers_what_came_before() -> None:
    """A raw document is judged by what its parent declared, which was analysed before."""
    seen: list[set[str]] = []
    pack = Pack(
        name="p",
        description="d",
        rules=frozenset(),
        read=lambda _: None,
        schema={},
        on_resource=lambda _, before, __: seen.append(set(before)) or [],
    )
    first, second = made("drydock:index:Task", "a"), made("aws:iam/role:Role", "b")
    pack.judge_resource(first)
    pack.judge_resource(second)
    assert seen[1] == {first.urn, second.urn}


def _tokens() -> set[str]:
    named = {
        value
        for module in (tags, private_network, routes, least_privilege)
        for value in vars(module).values()
        if isinstance(value, str) and value.startswith("aws:")
    }
    return named | set(private_network.PLACEMENTS) | set(least_privilege.ATTACHMENTS) | set(least_privilege.DOCUMENTS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the provider's own, on import
@pytest.mark.parametrize("token", sorted(_tokens()))
def test_token_is_the_providers_own(token: str) -> None:
    """A misspelt token would make every rule on it pass without looking."""
    path, name = token.removeprefix("aws:").split(":")
    module = path.split("/")[0]
    held = importlib.import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}")
    assert getattr(held, name).pulumi_type == token


def test_a_graph_prefers_what_was_given_and_keeps_what_came_of_it() -> None:
    """The provider hides inline routes in its outputs, and a component's outputs replace its props."""
    given = Resource(urn="u", type="t", name="n", inputs={"a": "meant"}, outputs={"a": "hidden", "id": "x"})
    assert str(given.read("a")) == "Known(value='meant')"
    assert str(given.output("id")) == "Known(value='x')"
