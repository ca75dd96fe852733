"""New Taipei City's open data, as a server on this machine: the same shape, made-up rows, and the usual mishaps.

    python open_data.py             at `BIND_ADDRESS` (default 127.0.0.1) and `PORT` (default 0: a free one)

It prints `listening on http://127.0.0.1:NNNN` and serves until SIGTERM. Rows are the same in every run of every
machine. `POST /_mode` with one of these words as its body sets how it answers from then on:

- `normal`: as the city's does on a bad day. Page 1 takes half a second, page 2 is a 500 the first time and page 3 is
  cut off the first time, of each dataset; some rows are broken.
- `slow`: as `normal`, and every page takes 2 s.
- `down`: every page is a 500.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARKING: Final = "b1464ef0-9c7c-4a6f-abf7-6bdf32847e68"
AVAILABILITY: Final = "e09b35a5-a738-48cc-b0f5-570b67ad9c78"

MOST_ROWS: Final = 1000
"""The source gives no more at a time, whatever it is asked for."""
MODES: Final = ("normal", "slow", "down")

_SLOW_PAGE, _FAILING_PAGE, _CUT_PAGE = 1, 2, 3
_GAP: Final = 97
"""Good rows between two broken ones."""
_NOT_TOLD: Final[tuple[dict[str, str], ...]] = (
    {"TEL": ""},
    {"SERVICETIME": ""},
    {"TW97X": "", "TW97Y": ""},
    {"TOTALMOTOR": "-9"},
    {"TOTALBIKE": ""},
)
"""What the city leaves open of a car park, now and then."""
_AREAS: Final = ("板橋區", "三重區", "中和區", "永和區", "新莊區", "新店區", "土城區", "蘆洲區", "汐止區", "樹林區")


def _pick(seed: str, below: int) -> int:
    """A number that looks like chance and is the same everywhere."""
    return crc32(seed.encode()) % below


def _car_park(number: int) -> dict[str, str]:
    area = number % len(_AREAS)
    key = f"{area + 1:02d}{number // len(_AREAS) + 1:04d}"
    spaces = _pick(f"{key} cars", 600)
    kind = _pick(f"{key} type", 2)
    row = {
        "ID": key,
        "AREA": _AREAS[area],
        "NAME": f"{_AREAS[area]}第{number + 1}停車場",
        "TYPE": str(1 + kind),
        "SUMMARY": (f"平面停車場\n小型車{spaces}格", "立體式建築附設停車空間")[kind],
        "ADDRESS": f"新北市{_AREAS[area]}中山路{1 + _pick(f'{key} road', 3)}段{1 + _pick(f'{key} house', 400)}號",
        "TEL": f"02-29{_pick(f'{key} tel', 1_000_000):06d}",
        "PAYEX": f"小型車計時{10 * (2 + _pick(f'{key} price', 5))}元;機車計次20元;",
        "SERVICETIME": "0~24時",
        "TW97X": f"{290_000 + _pick(f'{key} x', 20_000)}.{_pick(f'{key} mm', 1000):03d}",
        "TW97Y": f"{2_755_000 + _pick(f'{key} y', 20_000)}",
        "TOTALCAR": str(spaces),
        "TOTALMOTOR": str(_pick(f"{key} motors", 200)),
        "TOTALBIKE": str(_pick(f"{key} bikes", 50)),
    }
    return row | dict(enumerate(_NOT_TOLD)).get(_pick(f"{key} told", 12), {})


def _spaces(park: dict[str, str]) -> dict[str, str]:
    told = _pick(f"{park['ID']} now", 8)
    left = str(_pick(f"{park['ID']} left", int(park["TOTALCAR"]) + 1)) if told else "-9"
    return {"ID": park["ID"], "AVAILABLECAR": left}


CAR_PARKS: Final = [_car_park(number) for number in range(3300)]
"""The usable rows of the one dataset,"""
SPACES: Final = [
    *(_spaces(park) for number, park in enumerate(CAR_PARKS) if number % 11),
    *({"ID": f"99{number:04d}", "AVAILABLECAR": str(number)} for number in range(40)),
]
"""and of the other, which has nothing of some car parks, and some that nobody describes."""

BROKEN_CAR_PARKS: Final[list[Any]] = [
    {**CAR_PARKS[0], "ID": ""},
    {**CAR_PARKS[0], "ID": "第一"},
    {**CAR_PARKS[0], "ID": 10001},
    {name: value for name, value in CAR_PARKS[0].items() if name != "ID"},
    {**CAR_PARKS[1], "NAME": "一個以前來過的編號"},
    {**CAR_PARKS[0], "ID": "900001", "NAME": ""},
    {**CAR_PARKS[0], "ID": "900002", "NAME": None},
    {**CAR_PARKS[0], "ID": "900003", "PAYEX": "元" * 5000},
    {**CAR_PARKS[0], "ID": "900004", "ADDRESS": "新北市\x00板橋區"},
    {**CAR_PARKS[0], "ID": "900005", "SUMMARY": "\ud83d"},
    {**CAR_PARKS[0], "ID": "900006", "TEL": ["02-29603456"]},
    {**CAR_PARKS[0], "ID": "900007", "TOTALCAR": "很多"},
    {**CAR_PARKS[0], "ID": "900008", "TOTALCAR": "-1"},
    {**CAR_PARKS[0], "ID": "900009", "TOTALMOTOR": "12.5"},
    {**CAR_PARKS[0], "ID": "900010", "TOTALBIKE": True},
    {**CAR_PARKS[0], "ID": "900011", "TW97X": "2767068", "TW97Y": "296882"},
    {**CAR_PARKS[0], "ID": "900012", "TW97X": "121.4644919", "TW97Y": "25.0109252"},
    {**CAR_PARKS[0], "ID": "900013", "TW97Y": "N/A"},
    "停車場",
    None,
]
"""The rows of the one that are not,"""
BROKEN_SPACES: Final[list[Any]] = [
    {"AVAILABLECAR": "12"},
    {"ID": None, "AVAILABLECAR": "12"},
    {"ID": "0 1 0 0 0 1", "AVAILABLECAR": "12"},
    {**SPACES[0], "AVAILABLECAR": "7777"},
    {"ID": "900001", "AVAILABLECAR": "滿"},
    {"ID": "900002", "AVAILABLECAR": "-2"},
    {"ID": "900003", "AVAILABLECAR": "1e3"},
    {"ID": "900004", "AVAILABLECAR": 1000000},
    {"ID": "900005", "AVAILABLECAR": {"car": "3"}},
    [["ID", "900006"]],
]
"""and of the other."""


def _mixed(good: list[dict[str, str]], broken: list[Any]) -> Iterator[Any]:
    left = iter(broken)
    for number, row in enumerate(good, 1):
        yield row
        if number % _GAP == 0:
            yield from [bad for bad in [next(left, ...)] if bad is not ...]
    yield from left


DATASETS: Final[dict[str, list[Any]]] = {
    PARKING: list(_mixed(CAR_PARKS, BROKEN_CAR_PARKS)),
    AVAILABILITY: list(_mixed(SPACES, BROKEN_SPACES)),
}


class OpenData(ThreadingHTTPServer):
    """The server. `mode` is how it answers; *pause* waits for some seconds."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: str, port: int, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__((address, port), _Handler)
        self.url = f"http://{address}:{self.server_address[1]}"
        self.mode = "normal"
        self.pause = pause
        self._happened: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def first_time(self, dataset: str, page: int) -> bool:
        """Whether this page of the dataset was never asked for before."""
        with self._lock:
            first = (dataset, page) not in self._happened
            self._happened.add((dataset, page))
            return first

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away: killing one is part of a rehearsal."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OpenData  # pyright: ignore[reportIncompatibleVariableOverride] -- as socketserver means it

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        match asked.path.split("/"):
            case ["", "_mode"]:
                self._answer(200, self.server.mode.encode(), "text/plain")
            case ["", "api", "datasets", dataset, "json"] if dataset in DATASETS:
                query = parse_qs(asked.query)
                try:
                    page, size = int(query.get("page", ["0"])[0]), int(query.get("size", ["100"])[0])
                except ValueError:
                    self._answer(400, b'{"message": "page and size are numbers"}')
                else:
                    self._page(dataset, max(page, 0), min(max(size, 1), MOST_ROWS))
            case _:
                self._answer(404, b'{"message": "there is nothing here"}')

    def do_POST(self) -> None:
        mode = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace").strip()
        if self.path != "/_mode" or mode not in MODES:
            self._answer(400, f"POST /_mode takes one of: {', '.join(MODES)}\n".encode(), "text/plain")
            return
        self.server.mode = mode
        self._answer(200, mode.encode(), "text/plain")

    def _page(self, dataset: str, page: int, size: int) -> None:
        if self.server.mode == "down":
            self._answer(500, b'{"message": "down"}')
            return
        if self.server.mode == "slow":
            self.server.pause(2)
        rows = DATASETS[dataset][page * size : (page + 1) * size]
        body = json.dumps(rows).encode()
        first = bool(rows) and self.server.first_time(dataset, page)
        if page == _SLOW_PAGE:
            self.server.pause(0.5)
        if first and page == _FAILING_PAGE:
            self._answer(500, b'{"message": "try again"}')
        elif first and page == _CUT_PAGE:
            self._answer(200, body, sent=len(body) // 2)
        else:
            self._answer(200, body)

    def _answer(self, status: int, body: bytes, kind: str = "application/json", sent: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind};charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sent])
        self.close_connection = sent is not None or self.close_connection

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class has it
        """Say nothing: whoever asks keeps the log."""


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with OpenData(os.environ.get("BIND_ADDRESS") or "127.0.0.1", int(os.environ.get("PORT") or 0)) as server:
        sys.stdout.write(f"listening on {server.url}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
