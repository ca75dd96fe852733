"""A public API passes all on to one load balancer, which it alone may reach, and is opened as far as it is said."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components.account import Account
from components.api_gateway_logging import ApiGatewayLogging, ApiGatewayLoggingArgs
from components.api_stage import Throttle
from components.domain import Domain
from components.errors import InvalidArgsError
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.public_api import PublicApi, PublicApiArgs
from components.usage_plan import UsagePlan
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.test_load_balancer import CERTIFICATE, network

ACL = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/a1b2c3d4"
PLANS = {"partners": UsagePlan(clients=("web",))}
THROTTLES = {"POST /api/login": Throttle(rate_limit=1, burst_limit=2)}


class Balancer:
    """Stands for a load balancer where nothing is made of it."""

    def __init__(self, *, internal: bool = True) -> None:
        self.internal = internal


def args(**given: Any) -> PublicApiArgs:
    needed: dict[str, Any] = {
        "account": Account(id="111122223333", region="eu-west-1"),
        "network": network(),
        "load_balancer": Balancer(),
    }
    return PublicApiArgs(**needed | given)


def api(*, tls: bool = False, preview: bool = False, name: str = "shop", **given: Any) -> list[Recorded]:
    def build() -> None:
        domain = Domain(name="shop.example.com", certificate_arn=CERTIFICATE) if tls else None
        balancer = LoadBalancer("inside", LoadBalancerArgs(network=network(), domain=domain))
        PublicApi(name, args(load_balancer=balancer, **given))

    return record(build, preview=preview)


def fingerprint(*, tls: bool = False, **given: Any) -> str:
    return one(api(tls=tls, **given), ":Deployment").inputs["triggers"]["said"]


def test_every_path_and_method_is_passed_on_to_the_load_balancer_through_the_link() -> None:
    resources = api(timeout_ms=5_000)
    passed_on = {each.inputs["uri"]: each.inputs for each in of_type(resources, ":Integration").values()}
    assert passed_on.keys() == {"http://inside.dnsName/", "http://inside.dnsName/{proxy}"}
    for said in passed_on.values():
        assert (said["type"], said["httpMethod"], said["integrationHttpMethod"]) == ("HTTP_PROXY", "ANY", "ANY")
        assert (said["connectionType"], said["connectionId"]) == ("VPC_LINK", "shop-id")
        assert (said["integrationTarget"], said["timeoutMilliseconds"]) == ("inside.arn", 5_000)


def test_a_paths_variable_is_handed_on_by_its_method() -> None:
    """The integration's URI has a place for it, which API Gateway refuses to leave without a value."""
    resources = api()
    method = one(resources, ":Method", "shop-ANY-/{proxy+}").inputs
    integration = one(resources, ":Integration", "shop-ANY-/{proxy+}").inputs
    assert method["requestParameters"] == {"method.request.path.proxy": True}
    assert integration["requestParameters"]["integration.request.path.proxy"] == "method.request.path.proxy"
    assert "requestParameters" not in one(resources, ":Method", "shop-ANY-/").inputs


def test_a_load_balancer_with_tls_is_asked_by_the_name_of_its_certificate() -> None:
    resources = api(tls=True)
    assert {each.inputs["uri"] for each in of_type(resources, ":Integration").values()} == {
        "https://shop.example.com/",
        "https://shop.example.com/{proxy}",
    }


@pytest.mark.parametrize(("tls", "port"), [(False, 80), (True, 443)])
def test_the_link_reaches_the_load_balancers_port_and_nothing_else(tls: bool, port: int) -> None:  # noqa: FBT001
    """And the load balancer lets in nobody but the link."""
    resources = api(tls=tls)
    (out,) = of_type(resources, ":SecurityGroupEgressRule").values()
    (into,) = of_type(resources, ":SecurityGroupIngressRule").values()
    ends = ("securityGroupId", "referencedSecurityGroupId", "fromPort", "toPort", "ipProtocol")
    assert [out.inputs[end] for end in ends] == ["shop-id", "inside-id", port, port, "tcp"]
    assert [into.inputs[end] for end in ends] == ["inside-id", "shop-id", port, port, "tcp"]
    link = one(resources, ":VpcLink").inputs
    assert (link["securityGroupIds"], link["subnetIds"]) == (["shop-id"], list(network().app_subnet_ids))


def test_bodies_of_another_type_are_refused() -> None:
    """Their path would keep the stage: the template that takes it off is by content type."""
    said = one(api(media_types=("text/plain", "application/json")), ":Integration", "shop-ANY-/").inputs
    assert list(said["requestTemplates"]) == ["application/json", "text/plain"]
    assert said["passthroughBehavior"] == "NEVER"


def test_it_is_regional_and_speaks_no_old_tls() -> None:
    said = one(api(), "restApi:RestApi").inputs
    assert (said["endpointConfiguration"], said["disableExecuteApiEndpoint"]) == ({"types": "REGIONAL"}, False)
    assert (said["securityPolicy"], said["endpointAccessMode"]) == ("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "STRICT")


def test_one_method_has_a_throttle_of_its_own_and_the_stage_the_rest() -> None:
    resources = api(throttle=Throttle(rate_limit=7, burst_limit=9), method_throttles=THROTTLES)
    settings = of_type(resources, ":MethodSettings").values()
    limits = {
        each.inputs["methodPath"]: [each.inputs["settings"][f"throttling{which}Limit"] for which in ("Rate", "Burst")]
        for each in settings
    }
    assert limits == {"*/*": [7, 9], "~1api~1login/POST": [1, 2]}
    assert one(resources, ":Integration", "shop-POST-/api/login").inputs["uri"] == "http://inside.dnsName/api/login"
    assert of_type(resources, "resource:Resource").keys() == {"shop/{proxy+}", "shop/api", "shop/api/login"}


def test_with_plans_every_method_wants_a_key_and_without_none_does() -> None:
    for plans in ({}, PLANS):
        methods = of_type(api(plans=plans, method_throttles=THROTTLES), ":Method").values()
        assert {each.inputs["apiKeyRequired"] for each in methods} == {bool(plans)}


def test_its_outputs_have_each_keys_id_and_command_and_no_value() -> None:
    outputs = one(api(plans=PLANS), ":PublicApi").outputs
    assert outputs["key_ids"] == {"web": "shop-web-id"}
    assert outputs["key_commands"]["web"].startswith(
        "aws apigateway get-api-key --region eu-west-1 --api-key shop-web-id "
    )
    assert "shop-web.value" not in json.dumps(outputs)


def test_a_domain_leads_to_the_stage_and_closes_awss_own_name() -> None:
    """Whoever may walk around the name walks around what was said of it."""
    domain = Domain(name="api.example.com", further_names=("www.example.com",), zone_id="Z0123456789A")
    resources = api(domain=domain)
    assert one(resources, "restApi:RestApi").inputs["disableExecuteApiEndpoint"] is True
    assert one(resources, ":PublicApi").outputs["url"] == "https://api.example.com"
    for host in domain.names():
        served = one(resources, ":DomainName", f"shop-{host}").inputs
        assert (served["domainName"], served["endpointConfiguration"]) == (host, {"types": "REGIONAL"})
        mapping = one(resources, ":BasePathMapping", f"shop-{host}").inputs
        assert (mapping["stageName"], "basePath" in mapping) == ("prod", False)
        alias = one(resources, ":Record", f"shop-{host}").inputs["aliases"][0]
        assert alias["name"] == f"shop-{host}.regionalDomainName"


def test_a_domain_whose_certificate_is_somebody_elses_has_no_record() -> None:
    resources = api(domain=Domain(name="api.example.com", certificate_arn=CERTIFICATE))
    assert one(resources, ":DomainName").inputs["regionalCertificateArn"] == CERTIFICATE
    assert not of_type(resources, ":Record")


def test_a_web_acl_judges_what_comes_to_the_stage() -> None:
    assert not of_type(api(), ":WebAclAssociation")
    said = one(api(web_acl_arn=ACL), ":WebAclAssociation").inputs
    assert said == {"resourceArn": "shop.arn", "webAclArn": ACL}


def test_each_request_leaves_one_json_line_that_says_which_key_it_had() -> None:
    resources = api()
    assert one(resources, ":LogGroup").inputs["name"] == "/api-gateway/shop"
    said = json.loads(one(resources, ":Stage").inputs["accessLogSettings"]["format"])
    assert (said["request_id"], said["api_key_id"]) == ("$context.requestId", "$context.identity.apiKeyId")
    assert "$context.identity.apiKey" not in said.values(), "the key itself is a secret"


def test_its_stage_waits_for_the_accounts_leave_to_log_where_this_stack_makes_it() -> None:
    def build() -> None:
        logging = ApiGatewayLogging(
            "logging", ApiGatewayLoggingArgs(account=Account(id="111122223333", region="eu-west-1"))
        )
        balancer = LoadBalancer("inside", LoadBalancerArgs(network=network()))
        PublicApi("shop", args(load_balancer=balancer, logging=logging))

    resources = record(build)
    assert one(resources, "account:Account").urn in one(resources, ":Stage").dependencies


def test_a_deployment_waits_for_all_routes() -> None:
    """API Gateway deploys what routes there are."""
    resources = api(method_throttles=THROTTLES)
    needed = {each.urn for each in of_type(resources, ":Integration").values()}
    assert len(needed) == 3
    assert needed <= one(resources, ":Deployment").dependencies


@pytest.mark.parametrize(
    "changed",
    [
        {"method_throttles": THROTTLES},
        {"plans": PLANS},
        {"timeout_ms": 1_000},
        {"media_types": ("text/plain",)},
        {"domain": Domain(name="api.example.com", certificate_arn=CERTIFICATE)},
        {"tls": True},
    ],
)
def test_a_change_of_what_is_deployed_makes_a_new_deployment(changed: dict[str, Any]) -> None:
    assert fingerprint(**changed) != fingerprint()


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("api_proxy.headers", lambda *, key_required: {"integration.request.header.X-Own": str(key_required)}),
        ("api_proxy.override", lambda path: f"$input.body of {path}"),
        ("api_domain.TLS_POLICY", "SecurityPolicy_TLS13_1_3_2025_09"),
    ],
)
def test_what_a_later_library_passes_on_otherwise_is_deployed_too(
    where: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage goes on with what was deployed last: an upgrade that changes no argument would never reach it."""
    before = fingerprint()
    monkeypatch.setattr(f"components.{where}", value)
    assert fingerprint() != before


def test_a_limit_is_the_stages_and_makes_no_new_deployment() -> None:
    assert fingerprint(throttle=Throttle(rate_limit=1)) == fingerprint()


def test_the_url_is_the_stages_own_without_a_domain() -> None:
    assert one(api(stage="live"), ":PublicApi").outputs["url"] == "shop.invokeUrl"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"load_balancer": Balancer(internal=False)}, "load_balancer"),
        ({"stage": "v1.2"}, "stage"),
        ({"method_throttles": {"ANY /login": Throttle()}}, "method_throttles"),
        ({"method_throttles": {"GET /{proxy+}": Throttle()}}, "method_throttles"),
        ({"method_throttles": {"GET /{id}": Throttle()}}, "method_throttles"),
        ({"method_throttles": {"login": Throttle()}}, "method_throttles"),
        ({"timeout_ms": 49}, "timeout_ms"),
        ({"timeout_ms": 300_001}, "timeout_ms"),
        ({"media_types": ()}, "media_types"),
        ({"media_types": ("*/*",)}, "media_types"),
        ({"media_types": ("application/json; charset=utf-8",)}, "media_types"),
        ({"web_acl_arn": "arn:aws:wafv2:us-east-1:111122223333:global/webacl/shop/1"}, "web_acl_arn"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgsError, match=rf"^PublicApi\.{field}: got "):
        args(**given)


def test_a_load_balancer_that_the_internet_reaches_is_refused() -> None:
    """Whoever finds its own name would be answered without key, throttle or web ACL."""

    def build() -> None:
        balancer = LoadBalancer("outside", LoadBalancerArgs(network=network(), internal=False))
        args(load_balancer=balancer)

    with pytest.raises(InvalidArgsError, match=r"^PublicApi\.load_balancer: .*an internal one: .*around the keys"):
        record(build)


@pytest.mark.parametrize(
    "given", [{"rate_limit": 0}, {"rate_limit": 10_001}, {"burst_limit": 0}, {"burst_limit": 5_001}]
)
def test_a_throttle_that_no_account_has_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(InvalidArgsError, match=rf"^Throttle\.{next(iter(given))}: got "):
        Throttle(**given)


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("a" * 121, {}, "VPC link"),
        ("shop api", {}, "log group"),
        ("shop", {"plans": {"a" * 250: PLANS["partners"]}}, "usage plan"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_before_anything_is_registered(
    name: str, given: dict[str, Any], kind: str
) -> None:
    def build() -> None:
        PublicApi(name, args(**given), pulumi.ResourceOptions())

    with pytest.raises(InvalidArgsError, match=f"^{kind} name: got "):
        record(build)
