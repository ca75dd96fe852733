"""A rotation that succeeded has one service deployed anew, by roles that can do just that."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from pulumi import ResourceOptions

from components.errors import InvalidArgsError
from components.rotation import Redeployment, RedeploymentArgs
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.samples import ALERTS, SAMPLES

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:rotated"


def made() -> list[Recorded]:
    return record(lambda: Redeployment("rotated", next(SAMPLES["Redeployment"](ResourceOptions()))))


def statements(resources: list[Recorded], name: str) -> list[dict[str, Any]]:
    return json.loads(one(resources, "iam/rolePolicy:RolePolicy", name).inputs["policy"])["Statement"]


def test_it_hears_of_rotations_that_succeeded_of_these_secrets_alone() -> None:
    """One that was only asked for has put nothing in the secret yet."""
    rule = one(made(), "cloudwatch/eventRule:EventRule", "rotated")
    pattern = json.loads(rule.inputs["eventPattern"])
    assert (pattern["source"], pattern["detail-type"]) == (
        ["aws.secretsmanager"],
        ["AWS Service Event via CloudTrail"],
    )
    assert pattern["detail"]["eventName"] == ["RotationSucceeded"]
    assert pattern["detail"]["additionalEventData"]["SecretId"] == [
        f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}-a1b2c3" for name in ("application", "tokens")
    ]


def test_it_deploys_the_service_anew_with_the_definition_that_it_has() -> None:
    machine = one(made(), "sfn/stateMachine:StateMachine")
    assert machine.inputs["name"] == "rotated"
    (state,) = json.loads(machine.inputs["definition"])["States"].values()
    assert state["Resource"] == "arn:aws:states:::aws-sdk:ecs:updateService"
    assert state["Parameters"] == {"Cluster": "main.arn", "Service": "shop-id", "ForceNewDeployment": True}
    assert state["Retry"][0]["ErrorEquals"] == ["States.ALL"]


def test_its_roles_may_deploy_this_service_and_start_this_machine_and_nothing_else() -> None:
    resources = made()
    assert statements(resources, "rotated-deploy") == [
        {"Effect": "Allow", "Action": ["ecs:UpdateService"], "Resource": ["shop-id"]}
    ]
    assert statements(resources, "rotated-start") == [
        {"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": [MACHINE]}
    ]


def test_the_rule_starts_the_machine_under_the_role_for_that() -> None:
    target = one(made(), "cloudwatch/eventTarget:EventTarget", "rotated")
    assert (target.inputs["arn"], target.inputs["roleArn"]) == ("rotated.arn", "rotated-start.arn")


def test_a_deployment_that_could_not_be_asked_for_is_told() -> None:
    """Else the old password is found out at the next task's start."""
    resources = made()
    assert one(resources, "cloudwatch/eventTarget:EventTarget", "rotated-failed").inputs["arn"] == ALERTS
    assert "rotated-failed" in of_type(resources, "cloudwatch/eventRule:EventRule")


def test_without_a_secret_it_is_refused() -> None:
    def build() -> None:
        args: RedeploymentArgs = next(SAMPLES["Redeployment"](ResourceOptions()))
        with pytest.raises(InvalidArgsError, match=r"Redeployment\.secrets"):
            dataclasses.replace(args, secrets={})

    record(build)
