"""query-service as it is deployed, on both stacks: where it stands, who reaches it, when it alarms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from apps.query_service import QueryService, Settings
from tests.apps.stacks import IMAGE, platform, provider
from tests.components.recorder import one, record
from tests.whole import ROOT, deployed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.graph import Registered
    from tests.whole import Whole

ACCOUNTS = {"dev": "111122223333", "prod": "444455556666"}
REGION = "ap-southeast-1"

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)


def container(stack: str) -> dict[str, Any]:
    (only,) = json.loads(
        deployed(stack).of_workload("query-service").one(":TaskDefinition").inputs["containerDefinitions"]
    )
    return only


def service(stack: str) -> Mapping[str, Any]:
    return deployed(stack).of_workload("query-service").one("ecs/service:Service").inputs


def workload(whole: Whole) -> list[Registered]:
    return list(whole.below(whole.one("index:QueryService")))


@pytest.mark.parametrize(("stack", "tasks", "provider"), [("dev", 1, "FARGATE_SPOT"), ("prod", 2, "FARGATE")])
def test_dev_has_one_cheap_task_and_prod_two_that_stay(stack: str, tasks: int, provider: str) -> None:
    """Spot is taken away at two minutes' notice."""
    assert service(stack)["desiredCount"] == tasks
    assert service(stack)["capacityProviderStrategies"] == [{"capacityProvider": provider, "weight": 1, "base": 0}]


def test_a_strategy_of_its_own_goes_before_the_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither stack file has one, so nothing else would see it dropped."""
    monkeypatch.chdir(ROOT)  # where the function's code is looked for

    def build() -> None:
        opts = provider()
        on = platform(
            opts, network={"interface_endpoints": ["execute-api"]}, internal_load_balancer={"access_log_days": None}
        )
        said = {"image": IMAGE, "capacity": [{"provider": "FARGATE_SPOT", "weight": 3}]}
        QueryService("query-service", on, Settings.model_validate_json(json.dumps(said)), opts).deploy()

    assert one(record(build), "ecs/service:Service").inputs["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0}
    ]


def test_prod_grows_from_two_to_four_by_its_load_and_dev_does_not() -> None:
    """With autoscaling the count is its own; in dev, which sleeps, it is held by day at the stack's."""
    target = deployed("prod").of_workload("query-service").one("appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 4)
    assert deployed("prod").of_workload("query-service").one("ecs/service:Service").ignore_changes == ["desiredCount"]
    held = deployed("dev").of_workload("query-service")
    assert not held.of("appautoscaling/policy:Policy")
    by_day = held.one("appautoscaling/scheduledAction:ScheduledAction", "query-service-wake").inputs
    assert by_day["scalableTargetAction"] == {"minCapacity": 1, "maxCapacity": 1}


@each_stack
def test_a_rollout_may_halve_it_and_is_undone_when_it_fails(stack: str) -> None:
    said = service(stack)
    assert (said["deploymentMinimumHealthyPercent"], said["deploymentMaximumPercent"]) == (50, 200)
    assert said["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert said["enableExecuteCommand"] is True


@pytest.mark.parametrize(("stack", "zones"), [("dev", "ab"), ("prod", "abc")])
def test_its_tasks_stand_in_private_subnets_of_every_zone(stack: str, zones: str) -> None:
    """The source had them in public ones, with addresses of their own."""
    network = service(stack)["networkConfiguration"]
    assert network["subnets"] == [f"{stack}-app-{zone}.id" for zone in zones]
    assert network["assignPublicIp"] is False


@pytest.mark.parametrize(("stack", "insights"), [("dev", "enabled"), ("prod", "enhanced")])
def test_its_cluster_has_container_insights(stack: str, insights: str) -> None:
    assert deployed(stack).of_workload("query-service").one("ecs/cluster:Cluster").inputs["settings"] == [
        {"name": "containerInsights", "value": insights}
    ]


@each_stack
def test_its_task_is_fargates_smallest(stack: str) -> None:
    said = deployed(stack).of_workload("query-service").one(":TaskDefinition").inputs
    assert (said["family"], said["cpu"], said["memory"]) == ("query-service", "256", "512")
    assert (said["networkMode"], said["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])


@each_stack
def test_its_container_is_told_where_it_is_and_whom_to_ask(stack: str) -> None:
    """Its addresses come from the resources themselves; `REQUEST_TIMEOUT` is in seconds."""
    said = container(stack)
    environment = {each["name"]: each["value"] for each in said["environment"]}
    required = {
        "ENVIRONMENT": stack,
        "INTERNAL_API_URL": "query-service.invokeUrl",
        "REQUEST_TIMEOUT": "30",
        "AWS_DEFAULT_REGION": REGION,
    }
    assert environment.items() >= required.items()
    handed = deployed(stack).of_workload("query-service").outputs["workloads"]["query-service"]
    assert environment["TABLE_NAME"] == handed["table_name"]
    assert environment["FUNCTION_NAME"] == handed["function_name"]
    assert said["name"] == "ecs-handler"
    assert said["portMappings"] == [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}]
    assert said["command"] == ["python", "main.py"]
    assert "secrets" not in said


@each_stack
def test_its_health_check_runs_every_half_minute_and_gives_it_one_to_start(stack: str) -> None:
    assert container(stack)["healthCheck"] == {
        "command": ["CMD", "python", "healthcheck.py"],
        "interval": 30,
        "timeout": 5,
        "retries": 3,
        "startPeriod": 60,
    }


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 90)])
def test_its_logs_are_where_people_look_for_them(stack: str, days: int) -> None:
    groups = {
        each.inputs["name"]: each.inputs["retentionInDays"]
        for each in workload(deployed(stack).of_workload("query-service"))
        if each.type == "aws:cloudwatch/logGroup:LogGroup"
    }
    assert groups == {
        "/ecs/query-service": days,
        "/lambda/query-result-lambda": days,
        "/api-gateway/query-service": days,
    }
    options = container(stack)["logConfiguration"]["options"]
    assert (options["awslogs-group"], options["awslogs-stream-prefix"]) == ("/ecs/query-service", "ecs")
    assert options["awslogs-region"] == REGION


def test_its_repository_is_devs_own_scanned_and_goes_with_it() -> None:
    """What dev builds is dev's to run; prod runs what was pushed to the repository that serves both."""
    repository = deployed("dev").of_workload("query-service").one("ecr/repository:Repository").inputs
    assert repository["name"] == "dev/query-service/service"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["forceDelete"] is True, "as dev protects nothing else"
    assert not deployed("prod").of_workload("query-service").of("ecr/repository:Repository")
    registry = f"{ACCOUNTS['dev']}.dkr.ecr.{REGION}.amazonaws.com"
    assert container("prod")["image"].startswith(f"{registry}/query-service@sha256:")


@each_stack
def test_images_are_pinned_by_digest(stack: str) -> None:
    """What a tag points at changes under a running service; a build answers with its digest."""
    image = container(stack)["image"]
    assert image == "query-service.imageUri" if stack == "dev" else "/query-service@sha256:" in image


@each_stack
def test_the_internal_load_balancer_sends_it_its_paths(stack: str) -> None:
    whole = deployed(stack).of_workload("query-service")
    assert whole.one("lb/loadBalancer:LoadBalancer", f"{stack}-internal").inputs["internal"] is True
    assert whole.one(":Listener", f"{stack}-internal-http").inputs["port"] == 80
    rule = whole.one(":ListenerRule").inputs
    assert rule["conditions"] == [{"pathPattern": {"values": ["/query/*", "/health"]}}]
    assert rule["listenerArn"] == f"{stack}-internal-http.arn"


@each_stack
def test_a_target_is_healthy_after_two_good_answers(stack: str) -> None:
    target_group = deployed(stack).of_workload("query-service").one(":TargetGroup").inputs
    assert (target_group["targetType"], target_group["protocol"]) == ("ip", "HTTP")
    assert [each["containerPort"] for each in service(stack)["loadBalancers"]] == [8000]
    health = target_group["healthCheck"]
    assert (health["path"], health["interval"], health["timeout"], health["healthyThreshold"]) == ("/health", 30, 5, 2)


@each_stack
def test_its_port_is_open_to_the_load_balancer_alone_and_that_to_the_network_alone(stack: str) -> None:
    """The source's internal load balancer was open to the world."""
    doors = [
        (
            each.inputs["securityGroupId"],
            each.inputs["fromPort"],
            each.inputs.get("cidrIpv4") or each.inputs["referencedSecurityGroupId"],
        )
        for each in deployed(stack).of_workload("query-service").of(":SecurityGroupIngressRule").values()
    ]
    inner = ("query-service.id", f"{stack}-internal.id")
    assert sorted(door for door in doors if door[0] in inner) == [
        (f"{stack}-internal.id", 80, "10.0.0.0/16"),
        ("query-service.id", 8000, f"{stack}-internal.id"),
    ]


@each_stack
def test_its_api_is_private_and_admits_the_network_alone(stack: str) -> None:
    """Through an endpoint of the network's own, without which nobody reaches a private API."""
    whole = deployed(stack).of_workload("query-service")
    api = whole.one("apigateway/restApi:RestApi").inputs
    assert api["endpointConfiguration"] == {"types": "PRIVATE", "vpcEndpointIds": [f"{stack}-execute-api.id"]}
    endpoint = whole.one(":VpcEndpoint", f"{stack}-execute-api").inputs
    assert (endpoint["vpcEndpointType"], endpoint["serviceName"]) == (
        "Interface",
        f"com.amazonaws.{REGION}.execute-api",
    )
    statements = json.loads(whole.one(":RestApiPolicy").inputs["policy"])["Statement"]
    assert [(each["Effect"], each["Principal"], each["Condition"]) for each in statements] == [
        ("Allow", "*", {"StringEquals": {"aws:SourceVpc": f"{stack}.id"}}),
        ("Deny", "*", {"StringNotEquals": {"aws:SourceVpce": f"{stack}-execute-api.id"}}),
    ]


@each_stack
def test_its_api_has_one_route_that_its_function_answers(stack: str) -> None:
    whole = deployed(stack).of_workload("query-service")
    method = whole.one("apigateway/method:Method").inputs
    assert (method["httpMethod"], method["resourceId"]) == ("POST", "query-service/query/user.id")
    integration = whole.one(":Integration").inputs
    assert (integration["type"], integration["uri"]) == ("AWS_PROXY", "query-result-lambda.invokeArn")
    assert whole.one("apigateway/stage:Stage").inputs["stageName"] == "v1"


@each_stack
def test_it_alarms_on_ten_minutes_of_load_at_a_topic_of_its_own(stack: str) -> None:
    """Average over 300 s, twice; and a service without a task, which sends no metric, alarms too."""
    alarms = {
        name: (
            said["metricName"],
            said["comparisonOperator"],
            said["threshold"],
            said["statistic"],
            said["period"],
            said["evaluationPeriods"],
            said["treatMissingData"],
            said["alarmActions"],
        )
        for name, said in (
            (each.name, each.inputs)
            for each in deployed(stack).of_workload("query-service").of(":MetricAlarm").values()
        )
    }
    rest = ("Average", 300, 2, "breaching", ["query-service-alerts.arn"])
    assert alarms == {
        "query-service-cpu": ("CPUUtilization", "GreaterThanThreshold", 70, *rest),
        "query-service-memory": ("MemoryUtilization", "GreaterThanThreshold", 80, *rest),
    }


def test_prods_alarms_are_heard() -> None:
    """A topic that nobody subscribed to rings unheard."""
    subscribed = deployed("prod").of_workload("query-service").of(":TopicSubscription").values()
    assert {(each.inputs["topic"], each.inputs["endpoint"]) for each in subscribed} == {
        ("alerts.arn", "alerts@example.com"),
        ("query-service-alerts.arn", "alerts@example.com"),
    }


@each_stack
def test_its_tables_are_found_by_their_keys_and_forget_old_answers(stack: str) -> None:
    """The answers expire; the source is somebody's record, and does not."""
    answers, source = (
        deployed(stack).of_workload("query-service").one("dynamodb/table:Table", f"query-service-{name}").inputs
        for name in ("answers", "source")
    )
    assert (answers["hashKey"], answers["rangeKey"]) == ("pk", "sk")
    assert answers["ttl"] == {"attributeName": "expires_at", "enabled": True}
    assert (source["hashKey"], source["rangeKey"]) == ("user_id", "created_at")
    assert "ttl" not in source
