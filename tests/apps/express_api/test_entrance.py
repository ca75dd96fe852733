"""How the public comes to express-api, on both stacks: through its API, with a key, and no faster than it may."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)

# Method and path → where it is sent.
ROUTES = {"ANY-/": "/", "ANY-/{proxy+}": "/{proxy}", "POST-/api/client/auth/login": "/api/client/auth/login"}
DNS_NAME = "LoadBalancer/lb.LoadBalancer express-api.dnsName"
PLANS = {
    "dev": {"partners": {"rateLimit": 100, "burstLimit": 200}, "trial": {"rateLimit": 1, "burstLimit": 5}},
    "prod": {"partners": {"rateLimit": 50, "burstLimit": 100}, "trial": {"rateLimit": 1, "burstLimit": 5}},
}
ACL = f"arn:aws:wafv2:{REGION}:{ACCOUNTS['prod']}:regional/webacl/guard/1a2b"
DOMAIN = {"name": "api.example.com", "further_names": ["*.api.example.com"], "zone_id": "Z0123456789ABCDEFGHIJ"}


def deployed(stack: str) -> Whole:
    return exact.deployed(stack).of_workload("express-api")


def one(stack: str, token: str, name: str = "express-api") -> Mapping[str, Any]:
    return deployed(stack).one(token, name).inputs


def handed_out(stack: str) -> Mapping[str, Any]:
    return exact.deployed(stack).outputs["workloads"]["express-api"]


@pytest.fixture(scope="module")
def said() -> Whole:
    """All that may be said of the API and that neither stack says."""
    return exact.alone("prod", "express-api", api={"web_acl_arn": ACL, "domain": DOMAIN, "tracing": True})


# Every path.


@each_stack
def test_every_method_needs_a_key(stack: str) -> None:
    methods = {name: method.inputs for name, method in deployed(stack).of(":Method").items()}
    assert methods.keys() == {f"express-api-{route}" for route in ROUTES}
    assert {each["apiKeyRequired"] for each in methods.values()} == {True}


@each_stack
@pytest.mark.parametrize(("route", "path"), ROUTES.items(), ids=[*ROUTES])
def test_every_path_goes_through_the_link_to_the_internal_load_balancer(stack: str, route: str, path: str) -> None:
    """Straight to it: no network load balancer stands between, as a link of the first version would need."""
    said = one(stack, ":Integration", f"express-api-{route}")
    assert (said["type"], said["connectionType"]) == ("HTTP_PROXY", "VPC_LINK")
    assert said["connectionId"] == "PublicApi/apigatewayv2.VpcLink express-api"
    assert (
        said["integrationTarget"] == deployed(stack).one("lb/loadBalancer:LoadBalancer", "express-api").outputs["arn"]
    )
    assert said["uri"] == f"http://{DNS_NAME}{path}"
    assert said["timeoutMilliseconds"] == 29_000
    assert not [each for each in deployed(stack).graph if each.inputs.get("loadBalancerType") == "network"]


@each_stack
def test_the_link_stands_where_the_load_balancer_does(stack: str) -> None:
    said, balancer = one(stack, ":VpcLink"), one(stack, "lb/loadBalancer:LoadBalancer")
    assert said["subnetIds"] == balancer["subnets"]
    assert said["securityGroupIds"] == ["PublicApi/ec2.SecurityGroup express-api"]


@each_stack
def test_behind_it_every_path_is_the_services(stack: str) -> None:
    rule = one(stack, ":ListenerRule")
    assert rule["conditions"] == [{"pathPattern": {"values": ["/*"]}}]
    listener = deployed(stack).one(":Listener", "express-api-http")
    assert (rule["listenerArn"], listener.inputs["port"]) == (listener.outputs["arn"], 80)
    assert listener.inputs["loadBalancerArn"].endswith("load-balancer/express-api")


@each_stack
def test_the_key_goes_no_further_than_the_gateway(stack: str) -> None:
    """The service would log it with the rest of a request's headers, and has no use for it."""
    for route in ROUTES:
        passed_on = one(stack, ":Integration", f"express-api-{route}")["requestParameters"]
        assert passed_on["integration.request.header.X-Api-Key"] == "''"
        assert passed_on["integration.request.header.X-Request-Id"] == "context.requestId"


# No faster than it may.


@each_stack
@pytest.mark.parametrize(
    ("name", "path", "limits"),
    [
        ("express-api", "*/*", (100, 200)),
        ("express-api-POST-/api/client/auth/login", "~1api~1client~1auth~1login/POST", (10, 20)),
    ],
    ids=["all", "logins"],
)
def test_all_are_throttled_and_logins_more(stack: str, name: str, path: str, limits: tuple[int, int]) -> None:
    said = one(stack, ":MethodSettings", name)
    assert (said["methodPath"], said["stageName"]) == (path, "prod")
    assert (said["settings"]["throttlingRateLimit"], said["settings"]["throttlingBurstLimit"]) == limits
    assert said["settings"]["dataTraceEnabled"] is False, "it would log requests whole, passwords too"


@each_stack
@pytest.mark.parametrize(("plan", "clients"), [("partners", {"mobile", "web"}), ("trial", {"guest"})])
def test_each_client_has_a_key_of_its_own_in_one_plan(stack: str, plan: str, clients: set[str]) -> None:
    said = deployed(stack).one(":UsagePlan", f"express-api-{plan}")
    assert said.inputs["throttleSettings"] == PLANS[stack][plan]
    assert said.inputs["apiStages"] == [{"apiId": "PublicApi/apigateway.RestApi express-api", "stage": "prod"}]
    assert said.inputs.get("quotaSettings") == ({"limit": 1000, "period": "DAY"} if plan == "trial" else None)
    keys = [each.inputs for each in deployed(stack).of(":UsagePlanKey").values()]
    assert {each["keyId"] for each in keys if each["usagePlanId"] == said.id} == {
        deployed(stack).one(":ApiKey", f"express-api-{client}").id for client in clients
    }


# What is known of it.


@each_stack
def test_no_key_is_said_and_none_is_handed_out(stack: str) -> None:
    """AWS makes each up; who may see one is told by which command."""
    assert not [each.name for each in deployed(stack).of(":ApiKey").values() if "value" in each.inputs]
    ids = {client: f"PublicApi/apigateway.ApiKey express-api-{client}" for client in ("guest", "mobile", "web")}
    command = f"aws apigateway get-api-key --region {REGION} --api-key {{}} --include-value --query value --output text"
    service = one(stack, "ecs/service:Service")["name"]
    assert handed_out(stack) == {
        "api_gateway_url": "PublicApi/apigateway.Stage express-api.invokeUrl",
        **{f"{client}_key_id": key for client, key in ids.items()},
        **{f"{client}_key_command": command.format(key) for client, key in ids.items()},
        "service_name": service,
        "log_group_name": "/ecs/express-api",
        "database": one(stack, ":Instance")["identifier"],
    }


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 90)])
def test_a_line_is_kept_of_each_request_without_its_key(stack: str, days: int) -> None:
    """The key's id tells whose it was."""
    (group,) = (each for each in deployed(stack).graph if each.inputs.get("name") == "/api-gateway/express-api")
    said = one(stack, ":Stage")["accessLogSettings"]
    assert (group.inputs["retentionInDays"], said["destinationArn"]) == (days, group.outputs["arn"])
    fields = json.loads(said["format"])
    assert {fields[name] for name in ("api_key_id", "status", "source_ip", "waf")} == {
        "$context.identity.apiKeyId",
        "$context.status",
        "$context.identity.sourceIp",
        "$context.waf.status",
    }
    assert "$context.identity.apiKey" not in fields.values()


@each_stack
def test_it_speaks_tls_that_is_not_old(stack: str) -> None:
    said = one(stack, ":RestApi")
    assert (said["securityPolicy"], said["endpointAccessMode"]) == ("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "STRICT")


# What a stack may say besides.


def test_a_firewall_judges_requests_where_one_is_said(said: Whole) -> None:
    stage = said.one(":Stage", "express-api")
    assert said.one(":WebAclAssociation").inputs == {"webAclArn": ACL, "resourceArn": stage.outputs["arn"]}
    assert stage.inputs["xrayTracingEnabled"] is True


def test_a_domain_is_where_it_is_asked_then(said: Whole) -> None:
    """By its names alone, from their roots: the name that AWS gives answers no more."""
    assert said.outputs["workloads"]["express-api"]["api_gateway_url"] == "https://api.example.com"
    assert said.one(":RestApi", "express-api").inputs["disableExecuteApiEndpoint"] is True
    certificate = said.one(":Certificate", "express-api")
    for name in ("api.example.com", "*.api.example.com"):
        made = said.one(":DomainName", f"express-api-{name}")
        assert made.inputs["domainName"] == name
        assert made.inputs["regionalCertificateArn"] == certificate.outputs["arn"]
        mapped = said.one(":BasePathMapping", f"express-api-{name}").inputs
        assert (mapped["stageName"], mapped.get("basePath")) == ("prod", None)
        record = said.one("route53/record:Record", f"express-api-{name}").inputs
        assert record["aliases"][0]["name"] == made.outputs["regionalDomainName"]


def test_without_a_plan_anybody_may_call(said: Whole) -> None:
    """And no client is told of."""
    assert {each.inputs["apiKeyRequired"] for each in said.of(":Method").values()} == {False}
    handed = said.outputs["workloads"]["express-api"]
    assert handed.keys() == {"api_gateway_url", "service_name", "log_group_name", "database"}


@each_stack
def test_neither_stack_has_a_firewall_or_a_domain(stack: str) -> None:
    """Each is for a stack file to say."""
    for token in (":WebAclAssociation", "apigateway/domainName:DomainName"):
        assert not deployed(stack).of(token)
    assert one(stack, ":RestApi")["disableExecuteApiEndpoint"] is False
