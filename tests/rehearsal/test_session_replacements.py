"""New versions in a rehearsal of one workload, by the command that a user has: one is well, one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.copies import Ended, copy, rehearse

if TYPE_CHECKING:
    from pathlib import Path

REPLACEMENTS = """
replacements:
  - &well
    name: a new version takes the old one's place
    service: query-service
    entrance: load_balancer_url
    path: /health
    times: 200
  - <<: *well
    name: one that ends at once is rolled back
    source: broken
    outcome: rolled back
  - <<: *well
    name: one that ends at once is taken for a success
    source: broken
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder: Path = tmp_path_factory.mktemp("replaced")
    project = copy(folder / "project", only="query-service")
    script = project / "apps/query_service/rehearsal.yaml"
    script.write_text(script.read_text() + REPLACEMENTS)
    broken = project / "apps/query_service/broken"
    broken.mkdir()
    (broken / "main.py").write_text('raise SystemExit("no such luck")\n')
    return rehearse("up", project, "--stack", "dev", json_file=folder / "result.json", within=180)


def replaced(ended: Ended) -> list[dict[str, Any]]:
    assert ended.result.get("replacements"), ended.output
    return ended.result["replacements"]


def test_a_well_version_runs_afterwards_and_no_request_failed(ended: Ended) -> None:
    well = replaced(ended)[0]
    assert (well["ok"], well["outcome"]) == (True, "completed"), well
    assert (well["before"], well["after"]) == ("query-service:1", "query-service:2")
    assert well["answers"] == {"200": well["requests"]}
    assert well["requests"] >= 200
    assert well["exit_codes"] == [0], "the old version did not end by itself"


def test_a_broken_one_fails_the_program_with_its_reason_while_the_old_one_answers(ended: Ended) -> None:
    """The engine would say success: the service is steady again."""
    broken = replaced(ended)[1]
    assert (broken["ok"], broken["outcome"]) == (True, "rolled back"), broken
    assert broken["before"] == broken["after"] == "query-service:2"
    assert broken["answers"] == {"200": broken["requests"]}
    assert "the deployment of query-service:3 was rolled back, and query-service:2 runs" in broken["told"]
    assert "circuit breaker" in broken["told"]
    assert "ended with 1" in broken["told"]


def test_what_was_not_expected_fails_the_rehearsal(ended: Ended) -> None:
    assert ended.code == 1
    (error,) = ended.errors
    assert error.startswith("query-service: query-service (one that ends at once is taken for a success):")
    assert "expected that the deployment is completed, and it is rolled back: service 'query-service" in error


def test_the_report_says_what_became_of_each(ended: Ended) -> None:
    _, _, said = ended.output.partition("Replacements  2 of 3 as expected")
    assert "query-service:1 to query-service:2" in said
    assert "query-service:2 stays" in said
