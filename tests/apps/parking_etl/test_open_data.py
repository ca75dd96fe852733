"""The rehearsal's open data: the same rows everywhere, and the mishaps that it promises."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.apps.parking_etl.conftest import FOLDER, load, serving


def send(url: str, path: str, method: str = "GET", body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def page(server: Any, number: int, size: int = 1000) -> tuple[int, bytes]:
    return send(server.url, f"/api/datasets/{load('open_data').AVAILABILITY}/json?page={number}&size={size}")


def test_the_rows_are_the_same_everywhere() -> None:
    """What a rehearsal expects is written down in numbers."""
    datasets = load("open_data").DATASETS
    assert [len(rows) for rows in datasets.values()] == [3320, 3050]
    digest = hashlib.sha256(json.dumps(list(datasets.values())).encode()).hexdigest()
    assert digest[:16] == "378c3e979bc17ec2"


def test_ids_are_those_of_the_other_dataset_but_for_a_few() -> None:
    parks = {row["ID"] for row in load("open_data").CAR_PARKS}
    spaces = {row["ID"] for row in load("open_data").SPACES}
    assert (len(parks), len(spaces), len(parks & spaces)) == (3300, 3040, 3000)


def test_it_pages_as_the_city_does(open_data: Any) -> None:
    rows = load("open_data").DATASETS[load("open_data").AVAILABILITY]
    assert json.loads(page(open_data, 0)[1]) == rows[:1000]
    assert json.loads(page(open_data, 0, 5000)[1]) == rows[:1000], "it gives no more than 1000"
    assert json.loads(page(open_data, 1, 10)[1]) == rows[10:20]
    assert page(open_data, 4) == (200, b"[]")


def test_a_page_fails_once_and_another_is_cut_off_once(open_data: Any) -> None:
    assert [page(open_data, 2)[0] for _ in range(3)] == [500, 200, 200]
    with pytest.raises(http.client.IncompleteRead):
        page(open_data, 3)
    assert len(json.loads(page(open_data, 3)[1])) == 50


def test_a_mode_is_set_by_its_name_and_another_is_refused(open_data: Any) -> None:
    assert send(open_data.url, "/_mode", "POST", "down") == (200, b"down")
    assert (page(open_data, 0)[0], page(open_data, 0)[0]) == (500, 500)
    assert send(open_data.url, "/_mode", "POST", "fast")[0] == 400
    assert send(open_data.url, "/_mode") == (200, b"down")
    assert send(open_data.url, "/_mode", "POST", "normal\n") == (200, b"normal")
    assert page(open_data, 0)[0] == 200


def test_slow_is_two_seconds_a_page() -> None:
    waits: list[float] = []
    with serving(waits.append) as slow:
        page(slow, 0)
        send(slow.url, "/_mode", "POST", "slow")
        page(slow, 0)
        page(slow, 1)
    assert waits == [2, 2, 0.5]


def test_what_is_not_there_is_not_found(open_data: Any) -> None:
    for path in ("/", "/api/datasets/other/json?page=0", "/api/datasets"):
        assert send(open_data.url, path)[0] == 404
    assert send(open_data.url, f"/api/datasets/{load('open_data').PARKING}/json?page=x")[0] == 400


def test_as_a_script_it_says_where_it_listens_and_ends_on_sigterm() -> None:
    running = subprocess.Popen(  # noqa: S603 -- our own
        [sys.executable, str(FOLDER / "rehearsal" / "open_data.py")],
        env={"PATH": os.environ["PATH"], "BIND_ADDRESS": "127.0.0.9", "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout
        said = running.stdout.readline()
        assert said.startswith("listening on http://127.0.0.9:")
        assert send(said.split()[-1], "/_mode") == (200, b"normal")
        running.send_signal(signal.SIGTERM)
        output, error = running.communicate(timeout=5)
        assert (running.returncode, output, error) == (0, "", "")
    finally:
        running.kill()
        running.wait()
