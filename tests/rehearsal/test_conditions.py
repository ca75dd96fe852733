"""What is not for a stack is left out of its rehearsal, and told."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.rpc import UNKNOWN

from rehearsal.conditions import of_stack
from rehearsal.requests import EntranceError
from rehearsal.result import LeftOut
from rehearsal.script import Script

OUTPUTS: dict[str, Any] = {"found_by": "nlb", "times": {"on": True}, "arn": UNKNOWN}


def script(where: dict[str, Any]) -> Script:
    """Return one with a part of each kind that has *where*."""
    sent = {"entrance": "url", "method": "GET", "path": "/"}
    return Script.model_validate(
        {
            "requests": [{"name": "asks", **sent, "expect": {"status": 200}, "where": where}],
            "streams": [{"name": "streams", **sent, "times": 1, "where": where}],
            "jobs": [{"name": "runs", "schedule": "nights", "where": where}],
        }
    )


@pytest.mark.parametrize(
    "where", [{}, {"found_by": "nlb"}, {"found_by": ["cloud_map", "nlb"]}, {"found_by": "nlb", "times.on": True}]
)
def test_what_is_for_the_stack_stays(where: dict[str, Any]) -> None:
    said = script(where)
    assert of_stack("talk", OUTPUTS, said) == (said, [])


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ({"found_by": "cloud_map"}, "found_by is 'nlb'"),
        ({"found_by": ["cloud_map", "lattice"]}, "found_by is 'nlb'"),
        ({"found_by": "nlb", "times.on": False}, "times.on is True"),
        ({"found_by": "lattice", "times.on": False}, "found_by is 'nlb' and times.on is True"),
    ],
)
def test_what_is_for_another_stack_is_left_out_and_told(where: dict[str, Any], why: str) -> None:
    """What is dropped in silence passes for proved."""
    kept, left_out = of_stack("talk", OUTPUTS, script(where))
    assert (kept.requests, kept.streams, kept.jobs) == ((), (), ())
    assert left_out == [
        LeftOut(workload="talk", kind=kind, name=name, why=why)
        for kind, name in (("requests", "asks"), ("streams", "streams"), ("jobs", "runs"))
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kind", "talk: the request 'asks' names the output 'kind'; it has arn, found_by, times"),
        ("times.off", "names the output 'times.off'"),
        ("found_by.nlb", "names the output 'found_by.nlb'"),
        ("arn", "by the output 'arn', which a preview does not know: name one that the stack's settings say"),
    ],
)
def test_an_output_that_says_nothing_is_refused(name: str, said: str) -> None:
    """A mistyped name would leave the part out for ever."""
    with pytest.raises(EntranceError) as told:
        of_stack("talk", OUTPUTS, script({name: "x"}))
    assert said in str(told.value)
