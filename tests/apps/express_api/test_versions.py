"""What a new version of express-api, a rotated secret, and trouble set going, on both stacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import NoCredentialsError

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, Exact, title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.graph import Answer, Registered
    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)
ZONES = {"dev": "ab", "prod": "abc"}
SERVICE = "ecs/service:Service"
RUN = "a task is run"


def deployed(stack: str) -> Whole:
    return exact.deployed(stack).of_workload("express-api")


def one(stack: str, token: str, name: str = "express-api") -> Mapping[str, Any]:
    return deployed(stack).one(token, name).inputs


def arn(stack: str, service: str, what: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNTS[stack]}:{what}"


class Told(Exact):
    """Stands for AWS and for the engine: runs hooks, and notes what was made and which tasks were run, in order."""

    def __init__(self, stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(ACCOUNTS[stack])
        self.order: list[str] = []
        self.requests: list[dict[str, Any]] = []

        def client(*_: object, **__: object) -> Told:
            return self

        # The program has modules of its own in each run, and with them another `Runner`.
        monkeypatch.setattr("boto3.session.Session.client", client)

    def make(self, resource: Registered) -> Answer:
        """Do what is to be done before it first."""
        if resource.before:
            resource.before(resource, None)
        self.order.append(title(resource))
        return super().make(resource)

    def run_task(self, **request: Any) -> dict[str, Any]:
        """Start a task, as ECS."""
        self.order.append(RUN)
        self.requests.append(request)
        return {"tasks": [{"taskArn": "arn:aws:ecs:::task/0"}]}

    def list_service_deployments(self, **_: Any) -> dict[str, Any]:
        """Tell nothing of what became of the service."""
        raise NoCredentialsError

    def describe_tasks(self, **_: Any) -> dict[str, Any]:
        """Tell of a task that has ended well, as ECS."""
        return {
            "tasks": [{"taskArn": "arn:aws:ecs:::task/0", "lastStatus": "STOPPED", "containers": [{"exitCode": 0}]}]
        }


# A version.


@each_stack
def test_the_migration_is_run_before_the_service_is_made(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the database is there, and all that lets the migration's tasks in."""
    told = Told(stack, monkeypatch)
    exact.alone(stack, "express-api", told)
    run, made = told.order.index(RUN), told.order.index("Service/ecs.Service express-api")
    assert run < made
    needed = {
        "Database/rds.Instance express-api",
        "Database/vpc.SecurityGroupIngressRule express-api-from-migration",
        "Database/vpc.SecurityGroupEgressRule express-api-by-migration",
        "Job/vpc.SecurityGroupEgressRule express-api-migration-to-443",
        "Task/iam.RolePolicy express-api-migration-execution",
        "Task/ecs.TaskDefinition express-api-migration",
    }
    assert needed <= {*told.order[:run]}


@each_stack
def test_the_migration_runs_once_in_private_subnets(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole request: its own task definition, its own security group, and the service's kind of capacity."""
    told = Told(stack, monkeypatch)
    whole = exact.alone(stack, "express-api", told)
    (request,) = told.requests
    (provider,) = one(stack, SERVICE)["capacityProviderStrategies"]
    definition = whole.one(":TaskDefinition", "express-api-migration")
    assert request["taskDefinition"] == definition.outputs["arn"]
    assert request["cluster"] == arn(stack, "ecs", f"cluster/{stack}")
    assert request["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": [f"Network/ec2.Subnet {stack}-app-{zone}" for zone in ZONES[stack]],
        "securityGroups": ["Job/ec2.SecurityGroup express-api-migration"],
        "assignPublicIp": "DISABLED",
    }
    assert request["capacityProviderStrategy"] == [provider]
    assert request.get("count", 1) == 1


@each_stack
def test_no_other_service_waits_for_a_job(stack: str) -> None:
    """A hook costs each deployment of its service a call; one that is bound elsewhere would migrate on its account."""
    bound = [each.name for each in exact.deployed(stack).graph if each.before]
    assert bound == ["express-api"]


@each_stack
def test_the_service_waits_for_whatever_the_migration_needs(stack: str) -> None:
    """Its hook runs when its dependencies are there: those of the migration must be among them."""
    whole = deployed(stack)
    needed = {
        whole.one(":SecurityGroupIngressRule", "express-api-from-migration").urn,
        whole.one(":SecurityGroupEgressRule", "express-api-by-migration").urn,
        whole.one(":SecurityGroupEgressRule", "express-api-migration-to-443").urn,
        whole.one(":TaskDefinition", "express-api-migration").urn,
    }
    assert needed <= {*whole.one(SERVICE, "express-api").dependencies}


@each_stack
def test_a_version_that_does_not_come_up_is_taken_back(stack: str) -> None:
    """And `pulumi up` waits to see it."""
    said = one(stack, SERVICE)
    assert said["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert said["waitForSteadyState"] is True


# A rotation.


@each_stack
def test_a_rotated_secret_of_the_services_starts_one_machine(stack: str) -> None:
    """The application's and the tokens'; the master's is none that a task of the service has read."""
    secrets = [arn(stack, "secretsmanager", f"secret:express-api-{name}") for name in ("application", "tokens")]
    rule, target = (one(stack, token, "express-api-rotation") for token in (":EventRule", ":EventTarget"))
    assert json.loads(rule["eventPattern"]) == {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS Service Event via CloudTrail"],
        "detail": {
            "eventSource": ["secretsmanager.amazonaws.com"],
            "eventName": ["RotationSucceeded"],
            "additionalEventData": {"SecretId": secrets},
        },
    }
    assert target["rule"] == rule["name"]
    assert target["arn"] == arn(stack, "states", "stateMachine:express-api-rotation")


@each_stack
def test_the_machine_deploys_the_service_anew(stack: str) -> None:
    """As it is: with the task definition that it has, since nothing else is said."""
    said = json.loads(one(stack, ":StateMachine", "express-api-rotation")["definition"])
    (state,) = said["States"].values()
    assert state["Resource"] == "arn:aws:states:::aws-sdk:ecs:updateService"
    assert state["Parameters"] == {
        "Cluster": arn(stack, "ecs", f"cluster/{stack}"),
        "Service": deployed(stack).one(SERVICE, "express-api").id,
        "ForceNewDeployment": True,
    }


# Trouble.


@each_stack
def test_its_alarms_and_a_failed_redeployment_are_told_to_the_stacks_topic(stack: str) -> None:
    topic = arn(stack, "sns", "alerts")
    for metric, over in (("cpu", 70), ("memory", 80)):
        said = one(stack, ":MetricAlarm", f"express-api-{metric}")
        assert said["dimensions"]["ServiceName"] == one(stack, SERVICE)["name"]
        assert (said["threshold"], said["alarmActions"]) == (over, [topic])
    failed = one(stack, ":EventTarget", "express-api-rotation-failed")
    assert failed["arn"] == topic
    machines = json.loads(one(stack, ":EventRule", "express-api-rotation-failed")["eventPattern"])["detail"]
    assert machines["stateMachineArn"] == [arn(stack, "states", "stateMachine:express-api-rotation")]


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 90)])
@pytest.mark.parametrize("task", ["express-api", "express-api-migration"])
def test_each_task_has_a_log_group_of_its_own(stack: str, days: int, task: str) -> None:
    """So the service's role writes none of what the migration, which is the master, says."""
    (said,) = (each.inputs for each in deployed(stack).graph if title(each) == f"Task/cloudwatch.LogGroup {task}")
    assert (said["name"], said["retentionInDays"]) == (f"/ecs/{task}", days)
