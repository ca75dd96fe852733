"""The rehearsals of both stacks, end to end: what they must show when all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.copies import PROJECT, Ended, change, copy, rehearse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["dev", "prod"])
def rehearsed(request: pytest.FixtureRequest) -> Ended:
    return request.getfixturevalue(request.param)


def test_a_stack_passes(rehearsed: Ended) -> None:
    """The main job: the program as it is, deployed, run and asked."""
    assert rehearsed.code == 0, rehearsed.output
    assert rehearsed.result["ok"]
    assert rehearsed.errors == []


def test_the_query_is_answered_through_both_entrances(rehearsed: Ended) -> None:
    answered = {
        each["entrance"]
        for each in rehearsed.result["requests"]
        if (each["workload"], each["method"], each["path"], each["status"])
        == ("query-service", "POST", "/query/user", 200)
    }
    assert answered == {"load_balancer_url", "private_api_url"}
    assert all(each["ok"] for each in rehearsed.result["requests"])


def test_every_custom_resource_has_an_id_and_a_proof(rehearsed: Ended) -> None:
    """A resource without either was skipped silently."""
    for each in rehearsed.result["resources"]:
        assert set(each) >= {"urn", "type", "name", "id", "seconds", "proof"}
        if each["custom"] and each["proof"] == "enacted":
            assert each["id"], each["urn"]
            assert each["seconds"] > 0, each["urn"]


def test_what_was_only_validated_is_listed(prod: Ended) -> None:
    """Application Auto Scaling is in no emulator: saying nothing would pass for proof."""
    validated = {each["type"] for each in prod.result["resources"] if each["proof"] == "validated"}
    assert "aws:appautoscaling/target:Target" in validated
    assert set(prod.result["validated_only"]) == validated
    assert "aws:appautoscaling/target:Target" in prod.output.partition("Validated, not proved")[2]


def test_each_system_has_a_line_that_says_what_was_shown(rehearsed: Ended) -> None:
    """All workloads of the stack, and something of each: one that was not asked is not proved by the others."""
    found = rehearsed.result["systems"]
    assert found.keys() - {"platform"} == rehearsed.result["outputs"]["workloads"].keys()
    assert all(each["ok"] and each["shown"] for each in found.values())
    told = rehearsed.output.rpartition("\nSystems\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in told] == list(found)
    assert all(", ".join(each["shown"]) in line for line, each in zip(told, found.values(), strict=True))


def test_all_packs_judge(rehearsed: Ended) -> None:
    assert rehearsed.result["packs"] == ["least_privilege", "private_network", "tags"]
    assert "policies at preview" in rehearsed.result["seconds"]
    assert "policies" in rehearsed.result["seconds"]


def test_nothing_of_the_engineers_own_account_is_used(rehearsed: Ended) -> None:
    """The command ran with a profile, keys, an endpoint and a proxy that lead nowhere."""
    assert rehearsed.code == 0, rehearsed.output
    assert "AKIAENGINEERSOWN" not in rehearsed.output


def test_outputs_are_real_and_in_the_result(dev: Ended) -> None:
    workload = dev.result["outputs"]["workloads"]["query-service"]
    assert ".elb.amazonaws.com" in workload["load_balancer_url"]
    assert workload["load_balancer_url"] in dev.output


def test_a_preview_creates_nothing(tmp_path: Path) -> None:
    previewed = rehearse("preview", PROJECT, "--stack", "dev", json_file=tmp_path / "result.json")
    assert previewed.code == 0, previewed.output
    assert not previewed.result["created"]
    assert set(previewed.result["seconds"]) == {"preview", "policies at preview", "total"}
    assert all(each["id"] == "" for each in previewed.result["resources"])
    assert previewed.result["outputs"]["network"]["vpc_id"] == "[unknown]"


def test_a_workload_without_a_script_is_waited_for_and_said_so(tmp_path: Path) -> None:
    """A silent pass would look like an answered request."""
    project = copy(tmp_path / "project", only="query-service")
    (project / "apps/query_service/rehearsal.yaml").unlink()
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 0, ended.output
    assert not [each for each in ended.result["requests"] if each["workload"] == "query-service"]
    assert any("nothing was asked of query-service" in each for each in ended.result["warnings"])
    assert "services" in ended.result["seconds"]


def test_a_call_that_aws_refuses_is_told_with_its_resource_and_words(tmp_path: Path) -> None:
    project = copy(tmp_path / "project", only="query-service")
    change(project / "components/rest_api.py", "function=target.function_name,", 'function="nobody",')
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 1
    (error,) = ended.errors
    assert error.startswith(
        "aws:lambda/permission:Permission 'query-service-POST-/query/user': lambda:AddPermission was"
    )
    assert "ResourceNotFoundException" in error
    assert "Traceback" not in ended.output


def test_a_service_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    """Without its stopped reason and lines an engineer has nothing to go by."""
    project = copy(tmp_path / "project", only="query-service")
    change(
        project / "apps/query_service/service/main.py",
        "from __future__ import annotations\n",
        'from __future__ import annotations\nraise SystemExit("no such luck")\n',
    )
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 1
    (error,) = ended.errors
    assert "service 'query-service': 0 of 1 tasks are well" in error
    assert "no such luck" in error
    assert "exited with 1" in error
    assert "Traceback" not in ended.output
