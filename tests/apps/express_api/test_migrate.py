"""What the migration does to a database, and what the user that it makes may do there."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from rehearsal import postgres
from tests.apps.express_api.databases import API, CommandFailedError, Database

if TYPE_CHECKING:
    from pathlib import Path

ALL = ["0001-clients.sql", "0002-logins.sql"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A copy of the image, to be given other migrations."""
    shutil.copytree(API, tmp_path / "api", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "api" / "node_modules").symlink_to(API / "node_modules")
    return tmp_path / "api"


def test_each_migration_is_applied_once_however_often_it_is_run(empty: Database) -> None:
    assert empty.migrate()[-1]["applied"] == ALL
    assert empty.migrate()[-1]["applied"] == []
    assert empty.sql("SELECT name FROM api.migrations ORDER BY name") == [[name] for name in ALL]


def test_tasks_that_migrate_at_once_wait_for_each_other(empty: Database) -> None:
    """A deployment may be started twice; a CREATE TABLE that meets another one's would fail."""
    with ThreadPoolExecutor(4) as pool:
        logs = [running.result() for running in [pool.submit(empty.migrate) for _ in range(4)]]
    assert sorted(log[-1]["applied"] for log in logs) == [[], [], [], ALL]


def test_a_migration_that_fails_is_undone_whole_and_says_why(empty: Database, image: Path) -> None:
    """The old version goes on with the database as it was; the mended migration begins where that one did."""
    empty.migrate(image)
    mended = image / "migrations" / "0003-notes.sql"
    mended.write_text("CREATE TABLE api.notes (id int); ALTER TABLE api.nowhere ADD note text;")
    with pytest.raises(CommandFailedError, match=r"0003-notes.sql failed, and was undone: .*nowhere") as failed:
        empty.migrate(image)
    assert failed.value.code == 1
    assert empty.sql("SELECT to_regclass('api.notes') IS NULL") == [["t"]]
    mended.write_text("CREATE TABLE api.notes (id int);")
    assert empty.migrate(image)[-1]["applied"] == ["0003-notes.sql"]
    assert empty.migrate()[-1]["applied"] == [], "the image before is back, and has to do with it"


def test_a_migration_that_was_applied_may_not_change(empty: Database, image: Path) -> None:
    empty.migrate(image)
    (image / "migrations" / ALL[0]).write_text("SELECT 1;")
    with pytest.raises(CommandFailedError, match=f"{ALL[0]} was applied as something else"):
        empty.migrate(image)


def test_two_migrations_of_one_number_have_no_order_and_are_refused(empty: Database, image: Path) -> None:
    (image / "migrations" / "0002-other.sql").write_text("SELECT 1;")
    with pytest.raises(CommandFailedError, match="each number once"):
        empty.migrate(image)


def test_a_migration_does_not_keep_others_waiting_for_a_lock(empty: Database, image: Path) -> None:
    """What waits for an exclusive lock lets nobody pass who comes after."""
    look = "CREATE TABLE api.waited AS SELECT current_setting('lock_timeout') AS lock_timeout;"
    (image / "migrations" / "0003-look.sql").write_text(look)
    empty.migrate(image)
    assert empty.sql("SELECT lock_timeout FROM api.waited") == [["5s"]]


@pytest.mark.parametrize(
    "forbidden",
    [
        "DELETE FROM api.clients",
        "UPDATE api.clients SET email = ''",
        "INSERT INTO api.clients (email, password_hash) VALUES ('a@b', '')",
        "DELETE FROM api.prescriptions",
        "UPDATE api.prescriptions SET medicine = ''",
        "SELECT * FROM api.logins",
        "DELETE FROM api.login_attempts",
        "SELECT * FROM api.migrations",
        "TRUNCATE api.login_attempts",
        "CREATE TABLE api.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "COPY api.clients TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_the_applications_user_may_do_what_the_service_does_and_no_more(database: Database, forbidden: str) -> None:
    """Whoever takes the service over has this user."""
    with pytest.raises(CommandFailedError, match=r"permission denied|must be owner"):
        database.sql(forbidden, as_application=True)


def test_the_applications_user_may_read_what_it_serves(database: Database) -> None:
    assert database.sql("SELECT count(*) > 0 FROM api.clients", as_application=True) == [["t"]]
    assert database.sql("SELECT count(*) > 0 FROM api.prescriptions", as_application=True) == [["t"]]


def test_rights_that_somebody_added_are_taken_away_again(empty: Database) -> None:
    empty.migrate()
    empty.sql(f"GRANT DELETE ON api.clients TO {empty.user}")
    empty.migrate()
    with pytest.raises(CommandFailedError, match="permission denied"):
        empty.sql("DELETE FROM api.clients", as_application=True)


def test_a_password_that_was_rotated_is_the_users_after_the_next_run(empty: Database) -> None:
    empty.migrate()
    before, empty.password = empty.password, "another-password-of-the-application"
    empty.migrate()
    assert empty.sql("SELECT 1", as_application=True) == [["1"]]
    empty.password = before
    with pytest.raises(CommandFailedError, match="password authentication failed"):
        empty.sql("SELECT 1", as_application=True)


def test_the_application_may_not_be_the_master_or_as_mighty(empty: Database) -> None:
    with pytest.raises(CommandFailedError, match="APPLICATION_USERNAME is the master's") as refused:
        empty.migrate(APPLICATION_USERNAME=empty.server.user)
    assert refused.value.code == 2
    empty.sql(f"CREATE ROLE {empty.user} CREATEDB")
    with pytest.raises(CommandFailedError, match="has rolcreatedb"):
        empty.migrate()


def test_what_cannot_be_connected_to_is_told_without_a_secret(empty: Database, tmp_path: Path) -> None:
    """And whom the authority does not vouch for, by that very name, is told no password."""
    postgres._certify(tmp_path / "ca.pem", tmp_path, ["localhost"])
    wrong = {
        "password authentication failed": {"MASTER_PASSWORD": "not-the-masters-password"},
        "does not exist": {"DATABASE_NAME": "nowhere"},
        # Another way to say 127.0.0.1, which the certificate does not.
        "does not match certificate": {"DATABASE_HOST": "127.1"},
        "unable to verify|signature": {"DATABASE_CA": str(tmp_path / "ca.pem")},
        "DATABASE_CA is .*nowhere": {"DATABASE_CA": "/nowhere"},
        "MASTER_PASSWORD is set to something else": {"MASTER_PASSWORD": "sesame"},
    }
    for why, variables in wrong.items():
        with pytest.raises(CommandFailedError, match=why) as failed:
            empty.migrate(**variables)
        secrets = [empty.server.password, empty.password, "not-the-masters-password", "sesame"]
        assert not [secret for secret in secrets if secret in failed.value.text]
