"""A section says how its new version takes over in one word, or in all of them."""

from __future__ import annotations

import json
from typing import Any, get_args

import jsonschema
import pytest
from pydantic import TypeAdapter, ValidationError

from apps._web import WebSettings
from components.deployment import Deployment, Strategy
from settings import ServiceSettings
from settings.deployment import Deployed, DeploymentSettings
from tests.apps.stacks import DIGEST, platform, provider
from tests.components.recorder import one, record
from tests.settings.test_passed_on import Web
from tests.settings.test_reader import changed, complaint

SERVICE: dict[str, Any] = {
    "image": {"repository": "777788889999.dkr.ecr.eu-west-1.amazonaws.com/web", "digest": DIGEST},
    "size": {"cpu": 256, "memory": 512},
}
WHOLE: tuple[dict[str, Any], ...] = (
    {"strategy": "blue_green", "bake_minutes": 1, "approval_minutes": 2, "alarms": False},
    {"strategy": "linear", "step_percent": 20.5, "step_minutes": 3, "error_percent": 4},
    {"strategy": "canary", "canary_percent": 5, "canary_minutes": 6, "alarms": True},
)
SCHEMA = TypeAdapter(Deployed).json_schema()


def read(said: object, **more: Any) -> ServiceSettings:
    return ServiceSettings.model_validate_json(json.dumps({**SERVICE, "deployment": said, **more}))


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_a_strategys_name_alone_will_do(strategy: Strategy) -> None:
    """In the file, and for the editor that looks at it."""
    assert read(strategy).deployment.value() == Deployment(strategy=strategy)
    jsonschema.validate(strategy, SCHEMA)


@pytest.mark.parametrize("said", WHOLE, ids=lambda said: said["strategy"])
def test_all_that_is_said_arrives(said: dict[str, Any]) -> None:
    assert read(said).deployment.value() == Deployment(**said)
    jsonschema.validate(said, SCHEMA)


def test_percents_that_are_no_number_are_told_with_what_stands_there() -> None:
    """In words of the settings', as all else is."""
    said = {"strategy": "linear", "step_percent": "x"}
    told = complaint(changed("drydock:workloads/query-service/deployment", said))
    assert "drydock:workloads.query-service.deployment.step_percent: got 'x'; a number" in told


def test_each_setting_is_said_above() -> None:
    """Else one could be read and go nowhere."""
    assert {key for said in WHOLE for key in said} == set(DeploymentSettings.model_fields)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("bluegreen", "'blue_green'"),
        ({"strategy": "canary", "percent": 10}, "percent"),
        ({"strategy": "canary", "canary_percent": 0.05}, r"Deployment\.canary_percent: got 0\.05"),
        ({"bake_minutes": 5}, r"Deployment\.bake_minutes: got 5; none with 'rolling'"),
    ],
)
def test_what_would_not_do_is_told_before_anything_is_made(said: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        read(said)


def test_scaling_by_requests_is_refused_with_what_shifts_them() -> None:
    scaling = {"minimum": 1, "maximum": 3, "requests_per_target": 9}
    with pytest.raises(ValidationError, match=r"scaling\.requests_per_target: got 9; leave it out with .*'canary'"):
        read("canary", desired_count=2, scaling=scaling)
    assert read("rolling", desired_count=2, scaling=scaling)


@pytest.mark.parametrize("approval", [None, 30])
def test_the_command_that_approves_is_handed_out_where_somebody_is_asked(approval: int | None) -> None:
    """It has names that are known only once the service is there."""
    handed: list[Any] = []
    said = json.dumps({**SERVICE, "deployment": {"strategy": "canary", "approval_minutes": approval}})

    def build() -> None:
        opts = provider()
        web = Web("web", platform(opts, internal_load_balancer={}), WebSettings.model_validate_json(said), opts)
        handed.append(web.deploy())

    resources = record(build)
    assert ("approve" in handed[0]) == (approval is not None)
    configured = one(resources, "aws:ecs/service:Service").inputs["deploymentConfiguration"]
    assert ("lifecycleHooks" in configured) == (approval is not None)
