"""A migration that fails, in a rehearsal of express-api alone: the version that runs goes on, and the next one passes.

What a database holds between two versions is told by further ones, whose migration says it and fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.copies import Ended, copy, rehearse

if TYPE_CHECKING:
    from pathlib import Path

FAILING, MENDED = "rehearsal/failing", "rehearsal/mended"
WITNESS = """
DO $$ DECLARE applied text; columns bigint; BEGIN
  SELECT string_agg(name, ' ' ORDER BY name) INTO applied FROM api.migrations;
  SELECT count(*) INTO columns FROM information_schema.columns
    WHERE table_schema = 'api' AND table_name = 'prescriptions' AND column_name = 'prescriber';
  RAISE EXCEPTION 'applied are %; it has % such column', applied, columns;
END $$;
"""
NEITHER = "applied are 0001-clients.sql 0002-logins.sql; it has 0 such column"
BOTH = "applied are 0001-clients.sql 0002-logins.sql 9001-prescribers.sql; it has 1 such column"
REPLACEMENT = """
  - name: {name}
    service: express-api
    adds: {adds}
    entrance: api_gateway_url
    api_key: web_key_id
    path: /api/info
    times: 8
    per_second: 20
    outcome: {outcome}
    told: ["{told}"]
"""


def script_with_witnesses(text: str, image: Path) -> str:
    """Return the script *text* with a witness behind each of its two versions; their files are put beside it."""
    before, key, after = text.partition("  # Its column has the same name")
    assert key
    for place in ("rehearsal/first", "rehearsal/second"):
        (image.parent / place / "migrations").mkdir(parents=True)
        (image.parent / place / "migrations/0004-witness.sql").write_text(WITNESS)
    mended = image.parent / MENDED / "migrations/9001-prescribers.sql"
    (image.parent / "rehearsal/second/migrations" / mended.name).write_text(mended.read_text())
    first = REPLACEMENT.format(name="first", adds="rehearsal/first", outcome="refused", told=NEITHER)
    second = REPLACEMENT.format(name="second", adds="rehearsal/second", outcome="refused", told=BOTH)
    wrong = REPLACEMENT.format(name="taken for well", adds=FAILING, outcome="completed", told="has run")
    return f"{before}{first}{key}{after}{second}{wrong}"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder: Path = tmp_path_factory.mktemp("migrated")
    project = copy(folder / "project", only="express-api")
    script = project / "apps/express_api/rehearsal.yaml"
    script.write_text(script_with_witnesses(script.read_text(), script.parent / "api"))
    return rehearse("up", project, "--stack", "dev", json_file=folder / "result.json", within=240)


@pytest.fixture
def replaced(ended: Ended) -> list[dict[str, Any]]:
    assert len(ended.result.get("replacements", [])) == 5, ended.output
    return ended.result["replacements"]


def test_the_run_of_a_failing_one_fails_with_its_own_last_line(replaced: list[dict[str, Any]]) -> None:
    failing = replaced[0]
    assert (failing["ok"], failing["outcome"]) == (True, "refused"), failing
    head, *lines = failing["told"].splitlines()
    assert "job 'express-api-migration'" in head
    assert "failed, and the service stays as it is" in head
    assert "migration ended with 1" in head
    assert "9001-prescribers.sql failed, and was undone" in lines[-1]
    assert failing["reason"] == lines[-1].strip()


def test_the_version_before_answers_meanwhile_and_its_tasks_are_not_touched(replaced: list[dict[str, Any]]) -> None:
    failing = replaced[0]
    assert failing["before"] == failing["after"] == "express-api:1"
    assert failing["answers"] == {"200": failing["requests"]}
    assert failing["requests"] >= 60
    assert failing["exit_codes"] == []


def test_nothing_of_a_failing_one_is_left_in_the_database(replaced: list[dict[str, Any]]) -> None:
    """Its first statement was well: outside a transaction the mended one would find its column there."""
    witness = replaced[1]
    assert (witness["ok"], witness["outcome"]) == (True, "refused"), witness
    assert NEITHER in witness["reason"]


def test_the_mended_one_migrates_and_takes_its_place(replaced: list[dict[str, Any]]) -> None:
    """The job is run again though it has failed: the service's own change is still to come."""
    mended, witness = replaced[2:4]
    assert (mended["ok"], mended["outcome"]) == (True, "completed"), mended
    assert (mended["before"], mended["after"]) == ("express-api:1", "express-api:4"), "two revisions never served"
    assert mended["answers"] == {"200": mended["requests"]}
    assert mended["exit_codes"] == [0], "the old version did not end by itself"
    assert BOTH in witness["reason"]
    assert witness["before"] == witness["after"] == "express-api:4"


def test_one_that_fails_unexpectedly_fails_the_rehearsal_with_the_reason(ended: Ended) -> None:
    """Here a migration that was applied has other words now."""
    assert ended.code == 1
    (error,) = ended.errors
    assert error.startswith("express-api: express-api (taken for well):")
    assert "expected that the deployment is completed, and it is refused" in error
    assert "9001-prescribers.sql was applied as something else" in error


def test_the_report_has_each_reason_in_a_line(ended: Ended) -> None:
    _, _, said = ended.output.partition("Replacements  4 of 5 as expected")
    (line,) = (line for line in said.splitlines() if "prescribers.sql failed, and was undone" in line)
    assert line.startswith("  express-api refused: {")


def test_no_service_is_made_where_the_first_migration_fails(tmp_path: Path) -> None:
    """Tasks of a service without its tables would be restarted for ever, and its deployment be rolled back to none."""
    project = copy(tmp_path / "project", only="express-api")
    migration = project / "apps/express_api/service/migrations/0003-nowhere.sql"
    migration.write_text("ALTER TABLE api.nowhere ADD note text;")
    failed = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json", within=120)
    assert failed.code == 1
    (error,) = failed.errors
    head, *lines = error.splitlines()
    assert head.startswith("aws:ecs/service:Service 'express-api': what was to be done before failed: job ")
    assert "0003-nowhere.sql failed, and was undone" in lines[-1]
    ids = {each["type"]: each["id"] for each in failed.result["resources"]}
    assert ids["aws:ecs/service:Service"] == ""
    assert ids["aws:ecs/taskDefinition:TaskDefinition"], "it came that far"
