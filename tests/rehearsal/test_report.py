"""What a rehearsal prints at its end."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rehearsal import report
from rehearsal.result import Asked, LeftOut, Resource, Result, Streamed, Verdict


def resource(name: str, parent: str, token: str, seconds: float = 0.0) -> Resource:
    return Resource(
        urn=f"urn:{name}",
        type=token,
        name=name,
        id="",
        parent=parent,
        custom=token.startswith("aws"),
        seconds=seconds,
        proof="validated" if "appautoscaling" in token else "enacted",
    )


def asked(*, ok: bool) -> Asked:
    return Asked(
        workload="shop",
        name="it sells",
        entrance="load_balancer_url",
        method="POST",
        path="/buy",
        status=200 if ok else 502,
        seconds=0.0123,
        ok=ok,
    )


def printed(result: Result, width: int = 100) -> str:
    screen = Console(file=io.StringIO(), width=width, highlight=False)
    report.show(result, screen)
    return screen.file.getvalue()  # type: ignore[attr-defined]


def whole() -> Result:
    result = Result(stack="dev", created=True, packs=["tags"], seconds={"preview": 1.0, "total": 2.5})
    result.resources += [
        resource("shop", "urn:stack", "drydock:index:Shop"),
        resource("task", "urn:shop", "drydock:index:Task"),
        resource("role", "urn:task", "aws:iam/role:Role", 0.25),
        resource("target", "urn:shop", "aws:appautoscaling/target:Target", 0.01),
    ]
    result.validated_only.append("aws:appautoscaling/target:Target")
    result.not_proved.append("CPU limits")
    result.requests.append(asked(ok=True))
    result.outputs = {"workloads": {"shop": {"url": "http://x"}}, "ids": ["a", "b"], "password": "[secret]"}
    return result


def test_components_are_branches_and_their_resources_have_times() -> None:
    text = printed(whole())
    assert "└── Shop shop\n" in text
    assert "    └── Task task  iam.Role role 0.25\n" in text
    assert "appautoscaling.Target target 0.01 (validated)" in text


def test_all_there_is_to_know_is_on_it() -> None:
    text = printed(whole())
    for line in (
        "Policies  tags: no violations",
        "ok  200  12 ms  load balancer  POST /buy  it sells",
        "  workloads.shop.url  http://x",
        "  ids  a, b",
        "  password  [secret]",
        "held against AWS's model alone: aws:appautoscaling/target:Target (1)",
        "not in force here: CPU limits",
        "Seconds  preview 1.0",
        "dev: passed in 2.5 s",
    ):
        assert line in text


def test_no_resource_of_many_is_broken_over_two_lines() -> None:
    """People search the text for a name."""
    result = whole()
    result.resources += [resource(f"subnet-{number}", "urn:task", "aws:ec2/subnet:Subnet") for number in range(40)]
    text = printed(result, width=60)
    assert all(f"ec2.Subnet subnet-{number}" in text for number in range(40))
    assert max(map(len, text.partition("Policies")[0].splitlines())) <= 60


def test_what_was_refused_before_anything_was_made_is_all_that_is_printed() -> None:
    """A tree of things that do not exist would hide the one line that matters."""
    result = whole()
    result.created = False
    result.fail("policy tags (mandatory) required-tag: Vpc 'main' lacks Owner")
    text = printed(result)
    assert "Shop" not in text
    assert text.lstrip().startswith("Errors\n  policy tags (mandatory) required-tag: Vpc 'main' lacks Owner\n")
    assert text.endswith("dev: failed in 2.5 s: one error, above\n")


def test_what_the_program_says_of_itself_is_printed() -> None:
    """A stack that serves HTTP only says so at every preview and deployment."""
    result = whole()
    assert "Notes" not in printed(result)
    result.notes = ["public load balancer: serves HTTP only"]
    assert "Notes\n  public load balancer: serves HTTP only\n" in printed(result)


def test_the_line_of_each_system_comes_last_and_is_never_broken() -> None:
    """It is what a reader takes home: all of it above the time and the verdict, however narrow the terminal."""
    result = whole()
    text = printed(result, width=40)
    assert text.endswith(
        "\nSystems\n  shop  1 of 1 requests; validated only: appautoscaling.Target (1)\n"
        "\nSeconds  preview 1.0\n\ndev: passed in 2.5 s\n"
    )
    result.requests.append(asked(ok=False))
    result.fail("shop: POST /buy (it sells):\n  expected 200, got 502")
    assert "\nSystems\n  shop  FAILED  1 of 2 requests; validated" in printed(result)


@pytest.mark.parametrize(
    ("error", "count"),
    [
        ("3 settings of this stack cannot be used:\n  drydock:a: x\n  drydock:b: y\n  drydock:c: z", "3 errors"),
        ("/p/rehearsal.yaml: seed: missing\n/p/rehearsal.yaml: requests[0].expect: missing", "2 errors"),
        ("Pulumi.dev.yaml: a is 1\n  Pulumi.dev.yaml: b is 2", "2 errors"),
        ("shop: POST /buy (it sells):\n  expected 200, got 502\n  | 2 lines", "one error"),
        ("1 setting of this stack cannot be used:\n  drydock:a: x", "one error"),
        ("no", "one error"),
    ],
)
def test_the_mistakes_of_one_file_are_counted_one_by_one(error: str, count: str) -> None:
    """They are told at once, as one error; "one error" above ten lines would look like nine that do not matter."""
    result = whole()
    result.fail(error)
    assert printed(result).endswith(f"dev: failed in 2.5 s: {count}, above\n")


def test_a_long_error_is_not_wrapped() -> None:
    """It holds ARNs, which people copy."""
    result = whole()
    result.fail("x" * 300 + " and\nmore")
    assert "  " + "x" * 300 + " and\n  more\n" in printed(result)


def test_an_errors_brackets_are_no_markup() -> None:
    result = whole()
    result.fail("got [bold]x[/bold]")
    assert "got [bold]x[/bold]" in printed(result)


def test_notes_of_policies_and_failed_requests_are_told() -> None:
    result = whole()
    result.policies.append(
        Verdict(pack="tags", rule="tags-notes", level="advisory", urn="urn::a::vpc", message="excepted until 2030")
    )
    result.requests.append(asked(ok=False))
    text = printed(result)
    assert "tags: no violations, 1 notes" in text
    assert "  tags  vpc  excepted until 2030" in text
    assert "FAILED  502" in text
    assert "1 of 2 as expected" in text


def test_where_no_pack_is_found_that_is_said() -> None:
    """No violation found by nobody is no proof."""
    result = whole()
    result.packs = []
    assert "Policies  were not asked" in printed(result)


def test_streams_have_a_line_with_their_figures() -> None:
    result = whole()
    result.streams.append(
        Streamed(
            workload="shop",
            name="a death is survived",
            entrance="url",
            method="POST",
            path="/talk",
            times=24,
            complete=13,
            failed={"UNAVAILABLE": 11},
            retried=2,
            messages=180,
            hosts={"127.0.0.2": 13, "127.0.0.3": 11},
            killed=("127.0.0.3",),
            replaced_in=1.25,
            seconds=2.5,
            ok=True,
        )
    )
    told = printed(result, width=160)
    assert "Streams  1 of 1 as expected" in told
    (line,) = [line for line in told.splitlines() if "a death is survived" in line]
    assert [each.strip() for each in line.split("  ") if each.strip()] == [
        "ok",
        "13 of 24",
        "2.5 s",
        "11 UNAVAILABLE, 2 retried",
        "180 messages of 2 servers",
        "1 killed, replaced in 1.2 s",
        "a death is survived",
    ]


def test_what_was_left_out_is_counted_with_why_and_what_is_not_there_is_told() -> None:
    """Five requests of which two were left out are not five that came as expected."""
    result = whole()
    result.left_out += [
        LeftOut(workload="shop", kind=kind, name=name, why="mode is 'b'")
        for kind, name in (("requests", "x"), ("requests", "y"), ("streams", "z"))
    ]
    result.not_there.append("VPC Lattice")
    text = printed(result)
    assert "Requests  1 of 1 as expected; 2 not asked, since shop's mode is 'b'\n" in text
    assert "Streams  1 not asked, since shop's mode is 'b'\n" in text
    assert "Jobs" not in text
    assert "used by the program, and not done here: VPC Lattice" in text
