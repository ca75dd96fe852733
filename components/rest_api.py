"""A private REST API: reached through one VPC endpoint, answered by Lambda functions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import api_paths, api_resources, api_stage, documents, naming, resource_policy
from components.base import Part
from components.errors import of, one_of, within
from components.grants import Grant
from components.logs import Logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi
    from pulumi import Input

    from components.account import Account
    from components.api_gateway_logging import ApiGatewayLogging

_LOGGED: Final = {
    **api_stage.LOGGED,
    "vpc_endpoint": "$context.identity.vpceId",
    "caller": "$context.identity.caller",
}


class LambdaTarget(Protocol):
    """What answers a route: a `Function`, or anything else that knows a Lambda function's names."""

    @property
    def function_name(self) -> Input[str]:
        """Its name, by which API Gateway is let in."""
        ...

    @property
    def invoke_arn(self) -> Input[str]:
        """The URI by which API Gateway calls it."""
        ...


@dataclass(frozen=True, kw_only=True)
class RestApiArgs:
    """What a `RestApi` takes.

    Raises:
        InvalidArgsError: a route or stage that API Gateway refuses, or a number out of bounds.

    """

    account: Account
    """Where it is."""
    vpc_id: Input[str]
    """The VPC that is let in."""
    endpoint_id: Input[str]
    """Its interface endpoint for ``execute-api``, without which nobody reaches a private API at all."""
    routes: Mapping[str, LambdaTarget]
    """``METHOD /path`` → the function that answers: ``{"POST /query/user": function}``. METHOD may be ``ANY``,
    a part of the path a variable ``{id}``, and its last part ``{rest+}`` for all that follows."""
    stage: str = "v1"
    """The first part of every URL's path: letters, digits, underscores, at most 128. Default: ``v1``."""
    authorization: Literal["NONE", "AWS_IAM"] = "NONE"
    """Whether callers sign their requests. Default: no. Nobody outside the VPC gets as far, and any task inside may
    ask; ``AWS_IAM`` lets in those alone that were granted `RestApi.invoke`."""
    timeout_ms: int = 29_000
    """Milliseconds that a function may take, 50 to 29000. Default: 29000, as API Gateway's own.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""
    rate_limit: int = 100
    """Requests a second, over time, of each method; past it API Gateway answers 429. 1 to 10000, which is what an
    account has for all its APIs until it asks for more (same page). Default: 100."""
    burst_limit: int = 200
    """Requests at once of each method, 1 to 5000 (same page). Default: 200."""
    logs: Logs = field(default_factory=Logs)
    """How long the access log ``/api-gateway/<name>`` is kept; the rest of `Logs` is for containers."""
    logging: ApiGatewayLogging | None = None
    """The account's leave to write access logs, where this stack makes it. Default: it stands already."""
    tracing: bool = False
    """Whether requests are sampled for X-Ray. Default: no."""

    def __post_init__(self) -> None:
        api_paths.parse(of(self, "routes"), self.routes)
        api_stage.check_stage(self)
        one_of(self, "authorization", ("NONE", "AWS_IAM"))
        within(self, "timeout_ms", 50, 29_000, "milliseconds")
        api_stage.check_limits(self)


class RestApi(Part):
    """A private REST API with its resource policy, its routes, one stage, and an access log.

    The policy lets in whoever comes from the VPC through the endpoint, and refuses everybody else by an explicit
    Deny: without it, an IAM identity of the account with a broad right to invoke would pass from any other VPC.

    A route that is taken out answers on: the new deployment is a snapshot that the engine takes before it deletes
    the route's method. Another one cures it: ``pulumi up --replace <URN of the Deployment>`` afterwards.

    Raises:
        InvalidArgsError: *name* does not fit an API or a log group.

    """

    api_id: Output[str]
    """The API's id, the first part of its host name."""
    stage_name: str
    """The stage's name."""
    execution_arn: Output[str]
    """What ARNs of its methods begin with: ``arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5``."""
    invoke_url: Output[str]
    """Where it answers, stage included, without a slash at the end: for within the VPC, with the endpoint's private
    names."""

    def __init__(self, name: str, args: RestApiArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.REST_API)
        api_stage.group_of(name)
        super().__init__(opts)
        self._api = aws.apigateway.RestApi(
            name,
            endpoint_configuration={"types": "PRIVATE", "vpc_endpoint_ids": [args.endpoint_id]},
            tags=self.tags,
            opts=self.child(),
        )
        self.api_id, self.execution_arn = self._api.id, self._api.execution_arn
        self.stage_name = args.stage
        routes = api_paths.parse("routes", args.routes)
        resources = api_resources.grow(
            name, self._api, (path for _, path in routes.values()), lambda below: self.child(suffix=below)
        )
        policy = aws.apigateway.RestApiPolicy(
            name, rest_api_id=self.api_id, policy=_policy(self.execution_arn, args), opts=self.child()
        )
        deployment = aws.apigateway.Deployment(
            name,
            rest_api=self.api_id,
            triggers={"said": _fingerprint(args)},
            # What is deployed is the API as it stands: all of its routes, and the policy that a private one must have.
            opts=self.child(ResourceOptions(depends_on=[policy, *self._answer(name, args, routes, resources)])),
        )
        stage = api_stage.open_stage(self, name, args, api_id=self.api_id, deployment_id=deployment.id, logged=_LOGGED)
        api_stage.throttle(self, name, stage, self.api_id, args)
        self.invoke_url = stage.invoke_url

    def invoke(self, *routes: str) -> Grant:
        """Allow calling *routes* (``POST /query/user``) of an API with ``AWS_IAM``; without any, the whole stage."""
        ends = (
            [api_paths.in_arn(*said) for said in api_paths.parse("RestApi.invoke", routes).values()] if routes else []
        )
        return Grant(actions=["execute-api:Invoke"], resources=[self._arn(end) for end in ends or ["*"]])

    def _statement_id(self, said: str) -> Output[str]:
        return self.api_id.apply(lambda api: f"api-{hashlib.sha256(f'{api} {said}'.encode()).hexdigest()[:16]}")

    def _arn(self, end: str) -> Output[str]:
        return self.execution_arn.apply(lambda arn: f"{arn}/{self.stage_name}/{end}")

    def _answer(
        self,
        name: str,
        args: RestApiArgs,
        routes: Mapping[str, tuple[str, str]],
        resources: Mapping[str, Output[str]],
    ) -> list[pulumi.Resource]:
        """Make the methods and integrations of *routes*, by each path's resource; return the integrations."""
        integrations: list[pulumi.Resource] = []
        for key, (method, path) in routes.items():
            target = args.routes[key]
            suffix = f"-{method}-{path}"
            route = f"{name}{suffix}"
            asked = aws.apigateway.Method(
                route,
                rest_api=self.api_id,
                resource_id=resources[path],
                http_method=method,
                authorization=args.authorization,
                opts=self.child(suffix=suffix),
            )
            aws.lambda_.Permission(
                route,
                action="lambda:InvokeFunction",
                function=target.function_name,
                # Pulumi's own would be the logical name, whose slashes Lambda refuses. Nobody else says these two.
                statement_id=self._statement_id(f"{self.stage_name} {method} {path}"),
                principal="apigateway.amazonaws.com",
                source_arn=self._arn(api_paths.in_arn(method, path)),
                opts=self.child(suffix=suffix),
            )
            integrations.append(
                aws.apigateway.Integration(
                    route,
                    rest_api=self.api_id,
                    resource_id=resources[path],
                    http_method=asked.http_method,
                    type="AWS_PROXY",
                    integration_http_method="POST",  # how Lambda is called, whatever the method of the route
                    uri=target.invoke_arn,
                    timeout_milliseconds=args.timeout_ms,
                    opts=self.child(suffix=suffix),
                )
            )
        return integrations


def _policy(execution_arn: Output[str], args: RestApiArgs) -> Input[str]:
    methods = documents.Made(of=execution_arn, by=lambda arn: f"{arn}/*")

    def statement(effect: str, operator: str, key: str, value: Input[str]) -> resource_policy.Statement:
        return {
            "Effect": effect,
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": methods,
            "Condition": {operator: {key: value}},
        }

    return resource_policy.document(
        [
            statement("Allow", "StringEquals", "aws:SourceVpc", args.vpc_id),
            statement("Deny", "StringNotEquals", "aws:SourceVpce", args.endpoint_id),
        ]
    )


def _fingerprint(args: RestApiArgs) -> Input[str]:
    return api_resources.fingerprint(
        {
            "routes": {key: target.invoke_arn for key, target in sorted(args.routes.items())},
            "authorization": args.authorization,
            "timeout_ms": args.timeout_ms,
            "admitted": [args.vpc_id, args.endpoint_id],
        }
    )
