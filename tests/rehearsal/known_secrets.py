"""What of a rehearsal is nobody's to read: gathered while it runs, each value by what it is."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Final, cast
from unittest import mock

from rehearsal import postgres
from rehearsal.containers.container import Container
from rehearsal.emulator import Emulator
from rehearsal.keeping import Kept
from tests.rehearsal.searching import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rehearsal.script import Request
    from rehearsal.session import Session

_HANDED: Final = ("SecretAccessKey", "SessionToken")
_OWN: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Handed:
    """What is handed out once, and can be asked of nobody later: credentials, tokens of logins, and to whom."""

    values: dict[str, str]
    """What each is → its value."""
    containers: list[Container]
    """Every one that was made."""
    servers: list[postgres.Server]
    """Likewise."""

    def __init__(self) -> None:
        self.values, self.containers, self.servers = {}, [], []

    @contextlib.contextmanager
    def watched(self) -> Generator[None]:
        """Note what is handed out while the block runs."""
        assume, take, make, start = Emulator.assume, Kept.take, Container.__init__, postgres.start

        def assumed(emulator: Emulator, role: str, **said: Any) -> dict[str, Any]:
            given = assume(emulator, role, **said)
            for part in _HANDED:
                self._note(f"{part} of a session of {role.rpartition('/')[2]}", given[part])
            return given

        def taken(kept: Kept, request: Request, content: bytes) -> Iterator[str]:
            for name, field in request.keep.items():
                with contextlib.suppress(ValueError, LookupError, TypeError):
                    if "token" in field:
                        self._note(f"the token that is kept as {name}", json.loads(content)[field])
            return take(kept, request, content)

        def made(container: Container, **said: Any) -> None:
            make(container, **said)
            self.containers.append(container)
            named = [each["name"] for each in said["definition"].get("secrets", [])]
            for name in (*named, *_OWN):
                if "USERNAME" not in name and name in said["environment"]:
                    self._note(f"{name} of a container {container.name}", said["environment"][name])

        def started(*args: Any, **said: Any) -> postgres.Server:
            server = start(*args, **said)
            self.servers.append(server)
            self._note("the master's password of a database", server.password)
            return server

        with (
            mock.patch.object(Emulator, "assume", assumed),
            mock.patch.object(Kept, "take", taken),
            mock.patch.object(Container, "__init__", made),
            mock.patch.object(postgres, "start", started),
        ):
            yield

    def _note(self, what: str, value: str) -> None:
        self.values[f"{what} ({len(self.values)})"] = value


def standing(session: Session) -> dict[str, str]:
    """Return what the account of *session* has at its end, and its scripts have sent: what each is → its value."""
    found = dict(_of_scripts(session))
    if hasattr(session, "emulator"):  # one that was refused at its preview has none
        found |= dict(_of_account(session.emulator))
    return found


def _of_account(emulator: Emulator) -> Iterator[tuple[str, str]]:
    yield "the key of the emulator's root", emulator.environment["AWS_SECRET_ACCESS_KEY"]
    secrets = emulator.client("secretsmanager")
    for each in secrets.get_paginator("list_secrets").paginate().build_full_result()["SecretList"]:
        text = secrets.get_secret_value(SecretId=each["ARN"])["SecretString"]
        with contextlib.suppress(ValueError):
            for key, value in json.loads(text).items():
                if key != "username":
                    yield f"{key} in {each['Name']}", value
            continue
        yield each["Name"], text
    keys = emulator.client("apigateway").get_api_keys(includeValues=True)["items"]
    yield from ((f"API key {each['name']}", each["value"]) for each in keys)


def _of_scripts(session: Session) -> Iterator[tuple[str, str]]:
    for workload, script in session.scripts.items():
        for request in script.requests:
            body: Any = request.json_
            password = str(cast("dict[str, Any]", body).get("password", "")) if isinstance(body, dict) else ""
            if len(password) >= SHORTEST:
                yield f"{workload}: the password of {request.name!r}", password
        for rows in script.rows:
            for number, row in enumerate(rows.rows):
                hashes = {name: str(value) for name, value in row.items() if "password" in name}
                yield from ((f"{workload}: {name} of row {number} of {rows.table}", it) for name, it in hashes.items())
