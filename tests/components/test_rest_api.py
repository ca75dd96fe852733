"""A private REST API admits its VPC alone, and its functions admit its routes alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import Account
from components.api_gateway_logging import ApiGatewayLogging, ApiGatewayLoggingArgs
from components.errors import InvalidArgsError
from components.rest_api import RestApi, RestApiArgs
from tests.components.recorder import STACK, Recorded, of_type, one, record

ACCOUNT = Account(id="123456789012", region="ap-southeast-1")


@dataclass(frozen=True)
class Answering:
    """A function by its names alone."""

    function_name: str = "query-1a2b3c4"
    invoke_arn: str = "arn:aws:apigateway:ap-southeast-1:lambda:path/2015-03-31/functions/query/invocations"


def args(**given: Any) -> RestApiArgs:
    return RestApiArgs(
        **{
            "account": ACCOUNT,
            "vpc_id": "vpc-1",
            "endpoint_id": "vpce-1",
            "routes": {"POST /query/user": Answering()},
            **given,
        }
    )


def api(*, preview: bool = False, **given: Any) -> list[Recorded]:
    return record(lambda: RestApi("query", args(**given)), preview=preview)


def fingerprint(**given: Any) -> str:
    return one(api(**given), ":Deployment").inputs["triggers"]["said"]


def test_it_is_private_and_tied_to_its_endpoint() -> None:
    said = one(api(), "restApi:RestApi").inputs["endpointConfiguration"]
    assert said == {"types": "PRIVATE", "vpcEndpointIds": ["vpce-1"]}


def test_its_policy_admits_the_vpc_and_denies_whoever_does_not_come_by_the_endpoint() -> None:
    """An Allow alone would let an identity of the account, with a broad right to invoke, in from any VPC."""
    policy = json.loads(one(api(), ":RestApiPolicy").inputs["policy"])
    common = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "query.executionArn/*"}
    assert policy["Statement"] == [
        {"Effect": "Allow", **common, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}},
        {"Effect": "Deny", **common, "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}},
    ]


def test_its_resources_are_the_tree_of_its_paths_each_once() -> None:
    routes = {key: Answering() for key in ("POST /query/user", "GET /query/{id}", "GET /query", "GET /")}
    resources = api(routes=routes)
    tree = {
        name: (it.inputs["parentId"], it.inputs["pathPart"])
        for name, it in of_type(resources, "resource:Resource").items()
    }
    assert tree == {
        "query/query": ("query.rootResourceId", "query"),
        "query/query/user": ("query/query-id", "user"),
        "query/query/{id}": ("query/query-id", "{id}"),
    }
    assert one(resources, ":Method", "query-GET-/").inputs["resourceId"] == "query.rootResourceId"


def test_a_route_is_a_method_proxied_to_its_function() -> None:
    resources = api(timeout_ms=5_000)
    method, integration = one(resources, ":Method"), one(resources, ":Integration")
    assert (method.inputs["httpMethod"], method.inputs["authorization"]) == ("POST", "NONE")
    assert method.inputs["resourceId"] == integration.inputs["resourceId"] == "query/query/user-id"
    assert (integration.inputs["type"], integration.inputs["integrationHttpMethod"]) == ("AWS_PROXY", "POST")
    assert (integration.inputs["uri"], integration.inputs["timeoutMilliseconds"]) == (Answering().invoke_arn, 5_000)
    assert method.urn in integration.property_dependencies["httpMethod"]


def test_a_function_lets_in_exactly_its_route_of_this_stage() -> None:
    routes = {"POST /query/user": Answering(), "ANY /users/{id}": Answering(function_name="users")}
    permissions = of_type(api(routes=routes), ":Permission")
    assert {
        (it.inputs["function"], it.inputs["principal"], it.inputs["action"], it.inputs["sourceArn"])
        for it in permissions.values()
    } == {
        ("query-1a2b3c4", "apigateway.amazonaws.com", "lambda:InvokeFunction", "query.executionArn/v1/POST/query/user"),
        ("users", "apigateway.amazonaws.com", "lambda:InvokeFunction", "query.executionArn/v1/*/users/*"),
    }


def test_a_deployment_waits_for_the_policy_and_for_all_routes() -> None:
    """API Gateway refuses to deploy a private API without a policy, and deploys what routes there are."""
    routes = {key: Answering() for key in ("POST /query/user", "GET /query/user")}
    resources = api(routes=routes)
    needed = {one(resources, ":RestApiPolicy").urn, *(it.urn for it in of_type(resources, ":Integration").values())}
    assert len(needed) == 3
    assert needed <= one(resources, ":Deployment").dependencies


@pytest.mark.parametrize(
    "changed",
    [
        {"routes": {"POST /query/users": Answering()}},
        {"routes": {"POST /query/user": Answering(invoke_arn="arn:another")}},
        {"authorization": "AWS_IAM"},
        {"timeout_ms": 1_000},
        {"vpc_id": "vpc-2"},
        {"endpoint_id": "vpce-2"},
    ],
)
def test_a_change_of_what_is_deployed_makes_a_new_deployment(changed: dict[str, Any]) -> None:
    """Without it the API would say one thing in the console, and its stage another."""
    assert fingerprint(**changed) != fingerprint()


def test_what_changes_nothing_deployed_makes_no_new_deployment() -> None:
    routes = {"POST /query/user": Answering(), "GET /query/user": Answering()}
    assert fingerprint(routes=routes) == fingerprint(routes=dict(reversed(routes.items())))
    assert fingerprint(rate_limit=5) == fingerprint()


def test_known_arns_make_a_fingerprint_that_a_preview_can_compare() -> None:
    assert one(api(preview=True), ":Deployment").inputs["triggers"]["said"] == fingerprint()


def test_an_arn_that_is_not_known_yet_is_awaited() -> None:
    known, unknown = (
        record(
            lambda: RestApi(
                "query", args(routes={"GET /": Answering(invoke_arn=aws.sns.Topic("it").arn)})  # type: ignore[arg-type]
            ),
            preview=preview,
        )
        for preview in (False, True)
    )  # fmt: skip
    assert one(known, ":Deployment").inputs["triggers"]["said"] == fingerprint(
        routes={"GET /": Answering(invoke_arn="it.arn")}
    )
    assert one(unknown, ":Integration").inputs["uri"] != "it.arn"


def test_each_request_leaves_one_json_line_in_a_log_that_is_kept_for_a_stated_time() -> None:
    resources = api()
    group, stage = one(resources, ":LogGroup"), one(resources, ":Stage")
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == ("/api-gateway/query", 30)
    said = stage.inputs["accessLogSettings"]
    assert said["destinationArn"] == "query.arn"
    assert "\n" not in said["format"]
    assert json.loads(said["format"])["request_id"] == "$context.requestId"


def test_its_stage_waits_for_the_accounts_leave_to_log_where_this_stack_makes_it() -> None:
    def build() -> None:
        logging = ApiGatewayLogging("logging", ApiGatewayLoggingArgs(account=ACCOUNT))
        RestApi("query", args(logging=logging))

    resources = record(build)
    assert one(resources, "account:Account").urn in one(resources, ":Stage").dependencies


def test_requests_are_throttled_and_never_traced_with_their_bodies() -> None:
    settings = one(api(rate_limit=7, burst_limit=9), ":MethodSettings").inputs
    assert settings["methodPath"] == "*/*"
    assert settings["settings"] == {
        "throttlingRateLimit": 7, "throttlingBurstLimit": 9, "dataTraceEnabled": False, "loggingLevel": "OFF",
    }  # fmt: skip


def test_callers_of_a_signed_api_are_granted_its_routes() -> None:
    def build() -> pulumi.Output[Any]:
        made = RestApi("query", args(authorization="AWS_IAM"))
        one_route, whole = made.invoke("POST /query/user"), made.invoke()
        assert one_route.actions == whole.actions == ["execute-api:Invoke"]

        def check(arns: list[str]) -> None:
            assert arns == ["query.executionArn/v1/POST/query/user", "query.executionArn/v1/*"]

        return pulumi.Output.all(*one_route.resources, *whole.resources).apply(check)

    resources = record(build)
    assert one(resources, ":Method").inputs["authorization"] == "AWS_IAM"


def test_all_it_makes_hangs_where_its_options_say() -> None:
    def build() -> None:
        provider = aws.Provider("explicit", region="ap-southeast-1")
        RestApi("query", args(), pulumi.ResourceOptions(provider=provider))

    resources = record(build)
    children = [it for it in resources if it.custom and not it.type.startswith("pulumi:")]
    assert {child.parent for child in children} == {STACK}
    assert all(child.provider.endswith("::explicit::explicit-id") for child in children)
    assert all(child.name.startswith("query") for child in children)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"routes": {}}, "routes"),
        ({"routes": {"query/user": Answering()}}, "routes"),
        ({"stage": ""}, "stage"),
        ({"stage": "v1.2"}, "stage"),
        ({"stage": "v" * 129}, "stage"),
        ({"authorization": "COGNITO"}, "authorization"),
        ({"timeout_ms": 49}, "timeout_ms"),
        ({"timeout_ms": 29_001}, "timeout_ms"),
        ({"rate_limit": 0}, "rate_limit"),
        ({"rate_limit": 10_001}, "rate_limit"),
        ({"burst_limit": 0}, "burst_limit"),
        ({"burst_limit": 5_001}, "burst_limit"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgsError, match=rf"^RestApi\.{field}: got "):
        args(**given)


def test_a_name_that_fits_no_log_group_is_refused_before_anything_is_registered() -> None:
    with pytest.raises(InvalidArgsError, match="log group name"):
        record(lambda: RestApi("query api", args()))
