"""What a stack file may say of express-api: what cannot work is told before anything is made."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from apps.express_api import Settings
from components.usage_plan import UsagePlan
from settings import SettingsError
from tests.apps import exact
from tests.settings.test_reader import load
from tests.whole import ROOT

PROD: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
BUILT: dict[str, Any] = {"image": {"build": True}}
ADOPTED: dict[str, Any] = {
    "vpc_id": "vpc-0a1b2c3d",
    "cidr": "10.1.0.0/16",
    "zones": ["b", "c"],
    "app_subnet_ids": ["subnet-2a1b2c3d", "subnet-3a1b2c3d"],
}
ACM = "arn:aws:acm:us-east-1:444455556666:certificate/1a2b"


def read(section: dict[str, Any], **changed: Any) -> Settings:
    """Return the section of a stack that has no other workload."""
    config = {**copy.deepcopy(PROD), "drydock:workloads": {"express-api": {**BUILT, **section}}}
    config |= {f"drydock:{name}": value for name, value in changed.items()}
    config = {key: value for key, value in config.items() if value is not None}
    (found,) = (each for _, each in load(config, known={"express-api": Settings}).workloads.each())
    assert isinstance(found, Settings)
    return found


def complaint(section: dict[str, Any], **changed: Any) -> list[str]:
    """Return what is told of it, one line for each setting."""
    with pytest.raises(SettingsError) as refused:
        read(section, **changed)
    _, *lines = str(refused.value).splitlines()
    return [line.strip().removeprefix("drydock:workloads.express-api") for line in lines]


def test_it_needs_nothing_but_an_image() -> None:
    """And is as safe as can be by itself: a database in two zones that is kept, logins that are throttled."""
    said = read({})
    assert (said.size.cpu, said.size.memory, said.token_minutes, said.largest_body) == (512, 1024, 15, 8192)
    assert (said.database.multi_az, said.database.backup_days, said.database.engine_version) == (True, 7, "17")
    assert (said.login_throttle.rate_limit, said.login_throttle.burst_limit) == (10, 20)
    assert (said.api.plans, said.api.domain, said.api.web_acl_arn) == ({}, None, None)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"token_minutes": 0}, ".token_minutes: got 0; 1 or more"),
        ({"token_minutes": 1441}, ".token_minutes: got 1441; 1440 or less"),
        ({"largest_body": 1023}, ".largest_body: got 1023; 1024 or more"),
        ({"largest_body": 65_537}, ".largest_body: got 65537; 65536 or less"),
        ({"migration_timeout": 59}, ".migration_timeout: got 59; 60 or more"),
        ({"migration_timeout": 3601}, ".migration_timeout: got 3601; 3600 or less"),
        ({"login_throttle": {"rate_limit": 0}}, ".login_throttle.rate_limit: got 0; 1 or more"),
        ({"database": {"storage": 19}}, ".database.storage: got 19; 20 or more"),
        (
            {"database": {"storage": 100}},
            ".database.storage_limit: got 100; 110 or more, a tenth over the 100 GiB of `storage`, or null",
        ),
        ({"database": {"engine_version": 17}}, ".database.engine_version: got 17; one of '15', '16', '17' or '18'"),
        (
            {"database": {"instance_class": "t4g"}},
            ".database.instance_class: got 't4g'; a class such as 'db.t4g.micro' or 'db.m7g.large'",
        ),
        ({"database": None}, ".database: got None; a section with keys of its own"),
        ({"databse": {}}, ".databse: no such setting; did you mean 'database'?"),
        ({"api": {"method_throttles": {}}}, ".api.method_throttles: no such setting; did you mean 'throttle'?"),
        ({"api": {"stage": "a-b"}}, ".api.stage: got 'a-b'; 1 to 128 letters, digits and underscores"),
        ({"api": {"plans": {"a": {"clients": []}}}}, ".api.plans.a.clients: got []; the name of one client or more"),
        (
            {"api": {"plans": {"a": {"clients": ["web"]}, "b": {"clients": ["web"]}}}},
            ".api.plans: got 'web' more than once; each client once, in one plan",
        ),
    ],
)
def test_what_cannot_be_is_told_by_its_setting(section: dict[str, Any], told: str) -> None:
    """With its value, and what would do; by no name of a class."""
    assert complaint(section) == [told]


def test_all_mistakes_are_told_at_once() -> None:
    """Each `pulumi up` that ends at the first of them costs somebody a quarter of an hour."""
    section = {
        "database": {"storage": 19, "backup_days": 36},
        "api": {"stage": "-", "throttle": {"rate_limit": 0}},
        "token_minutes": 0,
    }
    assert [line.partition(":")[0] for line in complaint(section)] == [
        ".database.storage",
        ".database.backup_days",
        ".api.stage",
        ".api.throttle.rate_limit",
        ".token_minutes",
    ]


def test_tasks_on_an_instances_own_address_are_refused() -> None:
    """The database would have to let in whatever else runs there."""
    section = {"network_mode": "bridge", "capacity": [{"provider": "general"}]}
    assert complaint(section, cluster={"instances": {"general": {"maximum": 9}}}) == [
        ".network_mode: got 'bridge'; 'awsvpc': its tasks are let in to the database by their own security group"
    ]


def test_what_a_mode_needs_that_is_refused_anyway_is_not_told() -> None:
    """Room for the port on each instance, say: who made it would be refused again."""
    section = {"network_mode": "host", "capacity": [{"provider": "general"}]}
    assert complaint(section, cluster={"instances": {"general": {"maximum": 1}}}) == [
        ".network_mode: got 'host'; 'awsvpc': its tasks are let in to the database by their own security group"
    ]


def test_more_connections_than_the_database_has_are_refused() -> None:
    """In a rollout there are twice the tasks; the one that finds no connection left fails its requests, under load."""
    (line,) = complaint({"scaling": {"minimum": 2, "maximum": 8}, "desired_count": 2})
    assert line == (
        ".connections: got 10, which 8 tasks make 160 in a rollout; 102 in all are there of db.t4g.micro: fewer, or a "
        "larger `database: {instance_class: ...}`"
    )
    (line,) = complaint({"desired_count": 6})
    assert "which 6 tasks make 120 in a rollout" in line
    assert read({"desired_count": 5})
    assert read({"desired_count": 6, "rollout": {"minimum_healthy_percent": 50, "maximum_percent": 150}})
    assert read({"desired_count": 500, "database": {"instance_class": "db.m8g.24xlarge"}}), "whose memory nobody told"


def test_an_adopted_network_needs_data_subnets() -> None:
    (line,) = complaint({}, network={"adopt": ADOPTED}, public_load_balancer=None)
    assert line.startswith(".database: needs subnets in two zones; add `data_subnet_ids` to `network: {adopt: ...}`")
    with_data = {**ADOPTED, "data_subnet_ids": ["subnet-4a1b2c3d", "subnet-5a1b2c3d"]}
    assert read({}, network={"adopt": with_data}, public_load_balancer=None)


def test_a_network_of_one_zone_is_refused() -> None:
    (line,) = complaint({}, network={"zones": ["a"]})
    assert "2 zones or more: a load balancer and a database need as many" in line


def test_a_certificate_of_another_region_is_told_with_where_one_must_be() -> None:
    """us-east-1 is where CloudFront's are, and where whoever has read of edge-optimised APIs puts it."""
    (line,) = complaint({"api": {"domain": {"name": "api.example.com", "certificate_arn": ACM}}})
    assert line == (
        f".api.domain.certificate_arn: got {ACM!r}; one of the stack's own account and region, "
        "arn:aws:acm:ap-southeast-1:444455556666:certificate/...: API Gateway takes no other"
    )


def test_clashes_with_the_stack_are_told_together() -> None:
    """By their paths."""
    section = {
        "network_mode": "bridge",
        "capacity": [{"provider": "general"}],
        "api": {
            "web_acl_arn": "arn:aws:wafv2:us-east-1:444455556666:regional/webacl/guard/1a2b",
            "domain": {"name": "shop.example.com", "zone_id": "Z0123456789A"},
        },
    }
    lines = complaint(section, cluster={"instances": {"general": {"maximum": 9}}})
    assert [line.partition(": ")[0] for line in lines] == [".network_mode", ".api.web_acl_arn", ".api.domain"]


@pytest.mark.parametrize(
    "changed",
    [
        {"execute_command": True},
        {"deployment": {"strategy": "blue_green"}},
        {"database": {"engine_version": "18", "major_upgrade": True, "storage_limit": None}, "connections": 5},
        {"api": {"stage": "v1", "timeout_ms": 5000}},
        {"token_minutes": 60, "largest_body": 1024, "migration_timeout": 60},
    ],
    ids=["shells", "blue and green", "a later version", "another stage", "its own"],
)
def test_what_may_be_said_can_be_deployed(changed: dict[str, Any]) -> None:
    """A setting that breaks the program half-way would have been better refused."""
    whole = exact.alone("prod", "express-api", **changed, capacity=[{"provider": "FARGATE"}])
    assert whole.outputs["workloads"]["express-api"]["api_gateway_url"]


def test_its_own_settings_reach_the_container_and_the_api() -> None:
    """One that is read and goes nowhere would look as if it did something."""
    plans = {"partners": {"clients": ["web"]}}
    whole = exact.alone(
        "prod",
        "express-api",
        token_minutes=60,
        largest_body=1024,
        connections=3,
        login_throttle={"rate_limit": 3, "burst_limit": 4},
        api={"stage": "v1", "timeout_ms": 5000, "throttle": {"rate_limit": 5, "burst_limit": 6}, "plans": plans},
    )
    text = whole.one(":TaskDefinition", "express-api").inputs["containerDefinitions"]
    assert '{"name":"TOKEN_MINUTES","value":"60"}' in text
    assert '{"name":"LARGEST_BODY","value":"1024"}' in text
    assert '{"name":"DATABASE_CONNECTIONS","value":"3"}' in text
    limits = {
        each.inputs["methodPath"]: (each.inputs["settings"]["throttlingRateLimit"], each.inputs["stageName"])
        for each in whole.of(":MethodSettings").values()
    }
    assert limits == {"*/*": (5, "v1"), "~1api~1client~1auth~1login/POST": (3, "v1")}
    assert {each.inputs["timeoutMilliseconds"] for each in whole.of(":Integration").values()} == {5000}
    assert [*whole.of(":ApiKey")] == ["express-api-web"]


def test_a_plan_is_what_the_component_takes() -> None:
    assert read({"api": {"plans": {"a": {"clients": ["web"]}}}}).api.usage_plans() == {"a": UsagePlan(clients=("web",))}
