"""A rotation deploys a service anew: from the event, by the rule's and the state machine's roles, to its tasks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from rehearsal import program
from rehearsal.stand_ins import StandIns
from tests.rehearsal.containers.conftest import ACCOUNT, REGION, Site, _open

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parent / "rotation"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with _open() as opened:
        yield opened


@pytest.fixture(scope="module")
def outputs(site: Site) -> dict[str, Any]:
    aws = site.aws
    maker = StandIns(aws.client, account=ACCOUNT, region=REGION, project_dir=PROGRAM, gateway=aws.endpoint)
    deployed = program.run(PROGRAM, "dev", preview=False, maker=maker)
    assert deployed.error is None, deployed.error
    return deployed.outputs


def tokens(site: Site, service: str) -> list[str]:
    """Return the secret's value in the environment of each task that *service* runs, as the task itself has it."""
    ecs, (cluster, name) = site.aws.client("ecs"), service.split("/")[1:]
    found = list[str]()
    for task in ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus="RUNNING")["taskArns"]:
        url = f"http://{site.of(task).address}:8080/environment"
        found.append(urllib3.request("GET", url, retries=False, timeout=5).json()["TOKEN"])
    return found


def wait_for(site: Site, service: str, wanted: list[str], seconds: float = 30) -> None:
    deadline, found = time.monotonic() + seconds, list[str]()
    while found != wanted:
        assert time.monotonic() < deadline, f"{service} has {found}, not {wanted}; refused: {site.aws.denials()}"
        time.sleep(0.1)
        try:
            found = tokens(site, service)
        except urllib3.exceptions.HTTPError:
            found = []  # it does not listen yet, or no longer


def rollouts(site: Site, service: str) -> int:
    """Return how often *service* was deployed."""
    said = {"cluster": service.split("/")[1], "service": service}
    return len(site.aws.client("ecs").list_service_deployments(**said)["serviceDeployments"])


def test_a_rotation_gives_the_tasks_of_its_service_the_new_value(site: Site, outputs: dict[str, Any]) -> None:
    """Else they would go on with a password that is no longer good, until somebody deploys."""
    shop, till, secret = outputs["shop"], outputs["till"], outputs["secret"]
    for service in (shop, till):
        wait_for(site, service, ["before"])
    definition = task_definition(site, shop)

    # What a rotation's function does, which the emulator has not: and so far nobody is told.
    site.aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString="after")
    assert (tokens(site, shop), executions(site, outputs)) == (["before"], [])

    site.aws.client("secretsmanager").rotate_secret(SecretId=secret)
    wait_for(site, shop, ["after"])
    assert executions(site, outputs) == ["SUCCEEDED"]
    assert (rollouts(site, shop), task_definition(site, shop)) == (2, definition)
    assert (rollouts(site, till), tokens(site, till)) == (1, ["before"])
    assert site.aws.denials() == []


def task_definition(site: Site, service: str) -> str:
    found = site.aws.client("ecs").describe_services(cluster=service.split("/")[1], services=[service])
    return found["services"][0]["taskDefinition"]


def executions(site: Site, outputs: dict[str, Any]) -> list[str]:
    """Return how each execution of the state machine stands."""
    states = site.aws.client("stepfunctions")
    return [each["status"] for each in states.list_executions(stateMachineArn=outputs["machine"])["executions"]]
