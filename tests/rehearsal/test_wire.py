"""Values come off the wire plain, and go onto it marked."""

from __future__ import annotations

from google.protobuf import struct_pb2
from pulumi.runtime.rpc import UNKNOWN

from rehearsal import wire

KIND = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a signature
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"


def struct(**values: object) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


def test_numbers_are_whole_where_they_are_whole_and_nulls_are_left_out() -> None:
    """On the wire every number is a float: a port of 80.0 is no port."""
    assert wire.plain(struct(port=80, rate=0.5, none=None, nested={"n": None, "list": [1]})) == (
        {"port": 80, "rate": 0.5, "nested": {"list": [1]}},
        frozenset(),
    )
    assert isinstance(wire.plain(struct(port=80))[0]["port"], int)


def test_a_secret_anywhere_within_a_property_makes_the_property_secret() -> None:
    values = struct(open="a", closed={"deep": [{KIND: SECRET, "value": {KIND: SECRET, "value": "b"}}]})
    assert wire.plain(values) == ({"open": "a", "closed": {"deep": ["b"]}}, frozenset({"closed"}))


def test_what_is_marked_on_the_wire_comes_off_it_as_it_was() -> None:
    values = {"a": "x", "b": {"c": [1, True]}, "d": UNKNOWN}
    assert wire.plain(wire.wired(values, {"b"})) == (values, frozenset({"b"}))


def test_a_reference_is_an_id_and_unknown_while_the_id_is() -> None:
    reference = {KIND: REFERENCE, "urn": "urn::r"}
    values = struct(custom=reference | {"id": "i-1"}, preview=reference | {"id": ""}, component=reference)
    assert wire.plain(values)[0] == {"custom": "i-1", "preview": UNKNOWN, "component": "urn::r"}


def test_unknowns_are_told_by_their_paths() -> None:
    assert wire.unknown_paths({"a": {"b": [1, UNKNOWN]}, "c": UNKNOWN, "d": "x"}) == ["a.b[1]", "c"]
