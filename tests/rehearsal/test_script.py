"""A workload's script is read whole or refused with each place that is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rehearsal import script
from rehearsal.script import ScriptError
from tests.rehearsal.copies import PROJECT

REQUEST = """
requests:
  - name: it answers
    entrance: url
    method: GET
    path: /
    expect: {status: 200}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "rehearsal.yaml"
    path.write_text(text)
    return path


def wrong(folder: Path, text: str) -> str:
    with pytest.raises(ScriptError) as raised:
        script.read(written(folder, text))
    return str(raised.value)


def test_every_workloads_script_can_be_read() -> None:
    paths = list(PROJECT.glob("apps/*/rehearsal.yaml"))
    assert paths
    for path in paths:
        found = script.read(path)
        assert found.requests or found.jobs


def test_a_scripts_place_is_beside_its_workload() -> None:
    assert script.path_of(Path("/p"), "query-service") == Path("/p/apps/query_service/rehearsal.yaml")


@pytest.mark.parametrize("text", ["", "requests: []", "seed: []"])
def test_a_script_that_asks_nothing_is_refused(tmp_path: Path, text: str) -> None:
    """A workload that nobody asked would pass."""
    told = wrong(tmp_path, text)
    assert told.startswith(f"{tmp_path}/rehearsal.yaml: requests: there is none")
    assert "write one or more" in told


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("{id: a, price: 1.5}", "seed[0].items[1].price: got 1.5, a float"),
        ("{id: a, lines: [{price: 2.25}]}", "seed[0].items[1].lines: got 2.25, a float"),
        ("{id: a, day: 2026-01-05}", "seed[0].items[1].day: got 2026-01-05, a date"),
    ],
)
def test_what_no_table_takes_is_told_with_what_would_do(tmp_path: Path, item: str, told: str) -> None:
    """The SDK's own refusal comes when all is deployed, and names neither file nor item."""
    text = f"seed:\n  - table: table_name\n    items:\n      - {{id: z, count: 2, kept: true}}\n      - {item}\n"
    message = wrong(tmp_path, text + REQUEST)
    assert told in message
    assert "write it as text (" in message


@pytest.mark.parametrize(
    ("changed", "into", "told"),
    [
        ("path: /", "path: x", "requests[0].path (it answers): got 'x'"),
        ("path: /", "path: /\n    colour: blue", "requests[0].colour (it answers): no such key"),
        ("{status: 200}", "{}", "requests[0].expect.status (it answers): missing, and required"),
        ("{status: 200}", "{status: 20}", "requests[0].expect.status (it answers): got 20"),
        ("method: GET", "method: FETCH", "requests[0].method (it answers): got 'FETCH'"),
        ("path: /", "path: /\n    json: 1\n    text: a", "requests[0] (it answers): a request has one body"),
        ("path: /", "path: /\n    outage: everything", "requests[0].outage (it answers): got 'everything'"),
        ("name: it answers", "title: it answers", "requests[0].name: missing, and required"),
        ("requests:", "seeds:", "seeds: no such key"),
        ("{status: 200}", "{status: '200'}", "requests[0].expect.status (it answers): got '200'"),
        (
            "{status: 200}",
            "{status: 200, sometimes: 429}",
            "requests[0] (it answers): expect.sometimes: one answer has",
        ),
        ("path: /", "path: /\n    keep: {a-b: token}", "requests[0].keep.a-b"),
        (
            "path: /",
            "path: /\n    headers: {A: 'Bearer ${ada}'}",
            "requests: the request 'it answers' has ${ada}",
        ),
        ("requests:", "authorities: ca.pem\nrequests:", "authorities: got 'ca.pem'"),
        ("requests:", "rows: [{database: d, table: t, rows: []}]\nrequests:", "rows[0].rows: got []"),
        ("requests:", "rows: [{database: d, table: a;b, rows: [{c: 1}]}]\nrequests:", "rows[0].table: got 'a;b'"),
        ("requests:", "rows: [{table: t, rows: [{c: 1}]}]\nrequests:", "rows[0].database: missing, and required"),
        (
            "requests:",
            "rows: [{database: d, table: t, rows: [{c: 1, e: 2}, {c: 1}]}]\nrequests:",
            "rows[0]: rows[1] has the columns c, and the first c, e: say the same of each",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, changed: str, into: str, told: str) -> None:
    assert f"{tmp_path}/rehearsal.yaml: {told}" in wrong(tmp_path, REQUEST.replace(changed, into))


def test_two_requests_of_one_name_are_refused(tmp_path: Path) -> None:
    """The report would not say which of them failed."""
    told = wrong(tmp_path, REQUEST + REQUEST.replace("requests:\n", ""))
    assert "requests: two have the name 'it answers'; say in each" in told


LOGIN = """
requests:
  - name: ada logs in
    entrance: url
    method: POST
    path: /login
    keep: {ada: token}
    expect: {status: 200}
  - name: ada reads
    entrance: url
    method: GET
    path: /orders
    headers: {Authorization: "Bearer ${ada}"}
    expect: {status: 200}
"""


def test_what_is_kept_is_kept_before_it_is_named(tmp_path: Path) -> None:
    """The other way round nothing would be there to send."""
    login, reads = script.read(written(tmp_path, LOGIN)).requests
    assert (login.keep, reads.headers) == ({"ada": "token"}, {"Authorization": "Bearer ${ada}"})
    told = wrong(tmp_path, LOGIN.replace("{ada: token}", "{eve: token, bob: token}"))
    assert "the request 'ada reads' has ${ada}, and no earlier one keeps it; these do: bob, eve" in told
    own = LOGIN.replace("path: /login", "path: /login?again=${ada}")
    assert "the request 'ada logs in' has ${ada}, and no earlier one keeps it; these do: none" in wrong(tmp_path, own)


def test_rows_and_authorities_are_read(tmp_path: Path) -> None:
    """Of any values: PostgreSQL has more types than DynamoDB."""
    text = "authorities: DATABASE_CA\nrows: [{database: d, table: api.clients, rows: [{a: 1.5, b: 2026-01-05}]}]\n"
    found = script.read(written(tmp_path, text + REQUEST))
    (rows,) = found.rows
    assert (found.authorities, rows.database, rows.table) == ("DATABASE_CA", "d", "api.clients")
    assert rows.rows == ({"a": 1.5, "b": date(2026, 1, 5)},)


def test_a_key_that_is_given_twice_is_told_with_both_lines(tmp_path: Path) -> None:
    """YAML's reader would keep the second without a word."""
    told = wrong(tmp_path, REQUEST.replace("path: /", "path: /\n    path: /other"))
    assert "rehearsal.yaml is not YAML: line 7: 'path' stands in line 6 already" in told


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    """No reason to end with a traceback."""
    path = tmp_path / "rehearsal.yaml"
    path.write_bytes(b"\xff\xfe\x00j")
    with pytest.raises(ScriptError, match=r"rehearsal\.yaml is not text in UTF-8 \(invalid start byte at byte 0\)"):
        script.read(path)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("expect: {balanced_over: 4}", "expect.balanced_over is 4, and 3 times reach that many servers at most"),
        ("within: .inf", "streams[0].within (all whole): got inf"),
    ],
)
def test_streams_that_could_not_come_so_are_refused(tmp_path: Path, more: str, told: str) -> None:
    """They would fail only once all is deployed, or never end."""
    streams = f"streams: [{{name: all whole, entrance: url, method: POST, path: /, times: 3, {more}}}]"
    assert told in wrong(tmp_path, REQUEST + streams)


def test_what_is_wrong_with_streams_is_told_with_their_sentence(tmp_path: Path) -> None:
    streams = "streams: [{name: all whole, entrance: url, method: POST, path: /, times: 3, kill: {service: a}}]"
    told = wrong(tmp_path, REQUEST + streams)
    assert "streams[0].kill.after_messages (all whole): missing, and required" in told


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = REQUEST.replace("path: /", "path: x").replace("method: GET", "method: FETCH")
    assert len(wrong(tmp_path, text).splitlines()) == 2


@pytest.mark.parametrize(("text", "told"), [("a: [", "is not YAML"), ("- a", "the whole file: got ['a']")])
def test_what_is_no_mapping_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in wrong(tmp_path, text)
