"""A public REST API: in front of an internal load balancer, with keys, throttles, a log, and a firewall's rules."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import api_domain, api_paths, api_proxy, api_resources, api_stage, naming, security_group, usage_plan
from components.api_stage import Throttle
from components.base import Component, declared
from components.errors import InvalidArgsError, of, within
from components.logs import Logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi
    from pulumi import Input

    from components.account import Account
    from components.adopted_network import AnyNetwork
    from components.api_gateway_logging import ApiGatewayLogging
    from components.domain import Domain
    from components.load_balancer import LoadBalancer
    from components.usage_plan import UsagePlan

LARGEST_PAYLOAD: Final = 10 * 1024 * 1024
"""Bytes of a request's body, past which API Gateway answers 413, and of an answer's, past which it is an error of the
gateway's. AWS's own, and no setting: what is to be less is for the workload to refuse, or for a rule of the web ACL.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""

_LOGGED: Final = {
    **api_stage.LOGGED,
    "path": "$context.path",
    "api_key_id": "$context.identity.apiKeyId",
    "user_agent": "$context.identity.userAgent",
    "waf": "$context.waf.status",
    "tls": "$context.tlsVersion",
}
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_ACL: Final = re.compile(r"arn:[\w-]+:wafv2:[a-z0-9-]+:\d{12}:regional/webacl/[^/]+/[^/]+")
_PORT: Final = {False: 80, True: 443}
"""Whether a load balancer ends TLS → the port that it is asked on."""


@dataclass(frozen=True, kw_only=True)
class PublicApiArgs:
    """What a `PublicApi` takes.

    Raises:
        InvalidArgsError: a load balancer that the internet reaches, a throttle's route, a plan, a stage, a media type
            or an ACL that API Gateway refuses, or a number out of bounds.

    """

    account: Account
    """Where it is made."""
    network: AnyNetwork
    """The load balancer's network. API Gateway reaches into its app tier."""
    load_balancer: LoadBalancer
    """Where every request goes, whatever its path: an internal one, or callers walk around keys, throttles and ACL.
    With TLS its certificate must be one that the public trusts, as ACM's are."""
    stage: str = "prod"
    """The first part of every URL's path, where there is no domain: letters, digits, underscores, at most 128.
    Default: ``prod``."""
    throttle: Throttle = field(default_factory=Throttle)
    """What all callers together are held to, each of the API's methods by itself. Default: `Throttle`'s."""
    method_throttles: Mapping[str, Throttle] = field(default_factory=dict[str, Throttle])
    """``METHOD /path`` → what all callers together of that one are held to: ``{"POST /login": Throttle(...)}``. No
    ``ANY``, and no variable first. Every other request has the throttle above. Default: none."""
    plans: Mapping[str, UsagePlan] = field(default_factory=dict[str, "UsagePlan"])
    """Plan → the clients that have a key each, and what they may ask. With any, whoever has no key is refused (403).
    Default: none, and anybody may call."""
    timeout_ms: int = 29_000
    """Milliseconds that an answer may take, 50 to 300000; past it API Gateway answers 504. More than 29000, which is
    the default, only where the account's quota was raised for it, or AWS refuses.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""
    media_types: Sequence[str] = ("application/json",)
    """Content types of the bodies that are passed on; others are refused (415). A body without one is taken for JSON.
    Bodies are UTF-8 text of at most `LARGEST_PAYLOAD`. Default: JSON alone."""
    domain: Domain | None = None
    """The names that it is reached by, from their root; AWS's own name is then closed. Default: AWS's own."""
    web_acl_arn: Input[str] | None = None
    """A regional WAF web ACL that judges every request first. Default: none."""
    logs: Logs = field(default_factory=Logs)
    """How long the access log ``/api-gateway/<name>`` is kept; the rest of `Logs` is for containers."""
    logging: ApiGatewayLogging | None = None
    """The account's leave to write access logs, where this stack makes it. Default: it stands already."""
    tracing: bool = False
    """Whether requests are sampled for X-Ray. Default: no."""

    def __post_init__(self) -> None:
        if not self.load_balancer.internal:
            raise InvalidArgsError(
                of(self, "load_balancer"),
                got="one that the internet reaches",
                want="an internal one: whoever calls a public one walks around the keys, the throttles and the web ACL",
            )
        api_stage.check_stage(self)
        if self.method_throttles:
            routes = api_paths.parse(of(self, "method_throttles"), self.method_throttles)
            for key, (method, path) in routes.items():
                if method == "ANY" or path.startswith("/{"):
                    raise InvalidArgsError(
                        of(self, "method_throttles"),
                        got=key,
                        want="one method of a path that begins with a word; `throttle` is for the rest",
                    )
        usage_plan.check(self, "plans")
        within(self, "timeout_ms", 50, 300_000, "milliseconds")
        if not self.media_types or not all(_MEDIA_TYPE.fullmatch(each) for each in self.media_types):
            raise InvalidArgsError(
                of(self, "media_types"),
                got=tuple(self.media_types),
                want="content types such as 'application/json', in lower case and without parameters",
            )
        if isinstance(self.web_acl_arn, str) and not _ACL.fullmatch(self.web_acl_arn):
            raise InvalidArgsError(
                of(self, "web_acl_arn"), got=self.web_acl_arn, want="the ARN of a regional WAFv2 web ACL"
            )


class PublicApi(Component):
    """A regional REST API with one stage that passes every request on to a load balancer through a VPC link.

    The link has a security group of its own, which may reach the load balancer's port and nothing else, and the load
    balancer lets that group in. What the workload sees of a request is said in `components.api_proxy`.

    Raises:
        InvalidArgsError: *name* does not fit an API, a VPC link, a log group, or, with what follows, a key or a plan.

    """

    api_id: Output[str]
    """The API's id, the first part of its host name."""
    stage_name: str
    """The stage's name."""
    stage_arn: Output[str]
    """The stage's ARN: what else is to be associated with it."""
    security_group_id: Output[str]
    """The VPC link's: whom load balancers let in."""
    url: Output[str]
    """Where it answers, without a slash at the end: its domain, or AWS's name and the stage."""
    key_ids: Mapping[str, Output[str]]
    """Client → the id of its key, which is no secret. The value is in no output."""
    key_commands: Mapping[str, Output[str]]
    """Client → the shell command that shows its key to whoever may see it."""

    def __init__(self, name: str, args: PublicApiArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.REST_API)
        naming.autonamed(name, naming.VPC_LINK)
        api_stage.group_of(name)
        usage_plan.check_lengths(name, args.plans)
        super().__init__(name, declared(args), opts)
        self.stage_name = args.stage
        self.security_group_id, link = self._link(name, args)
        api = self._api(name, args)
        self.api_id = api.id
        stage = self._open(name, args, self._deploy(name, args, api, link))
        self.stage_arn = stage.arn
        if args.web_acl_arn is not None:
            aws.wafv2.WebAclAssociation(name, resource_arn=stage.arn, web_acl_arn=args.web_acl_arn, opts=self.child())
        if args.domain:
            api_domain.serve(self, name, args.domain, api_id=api.id, stage_name=stage.stage_name)
        self.url = Output.from_input(f"https://{args.domain.name}") if args.domain else stage.invoke_url
        self.key_ids = usage_plan.issue(self, name, args.plans, api_id=api.id, stage_name=stage.stage_name)
        shown = functools.partial(usage_plan.command, region=args.account.region)
        self.key_commands = {client: key.apply(shown) for client, key in self.key_ids.items()}
        self.register_outputs(
            {
                "api_id": self.api_id,
                "stage_arn": self.stage_arn,
                "security_group_id": self.security_group_id,
                "url": self.url,
                "key_ids": self.key_ids,
                "key_commands": self.key_commands,
            }
        )

    def _link(self, name: str, args: PublicApiArgs) -> tuple[Output[str], Output[str]]:
        """Make the way into the VPC; return its group's id and its own."""
        group = aws.ec2.SecurityGroup(
            name,
            description="API Gateway, and the load balancer that it calls",
            vpc_id=args.network.vpc_id,
            tags={**self.tags, "Name": name},
            opts=self.child(),
        ).id
        balancer, port = args.load_balancer.security_group_id, _PORT[args.load_balancer.tls]
        ways = security_group.open_way(self, f"{name}-{port}", port, from_group=group, to_group=balancer)
        link = aws.apigatewayv2.VpcLink(
            name,
            security_group_ids=[group],
            subnet_ids=list(args.network.app_subnet_ids),
            tags=self.tags,
            opts=self.child(ResourceOptions(depends_on=ways)),
        )
        return group, link.id

    def _api(self, name: str, args: PublicApiArgs) -> aws.apigateway.RestApi:
        return aws.apigateway.RestApi(
            name,
            endpoint_configuration={"types": "REGIONAL"},
            security_policy=api_domain.TLS_POLICY,
            endpoint_access_mode=api_domain.ACCESS_MODE,
            disable_execute_api_endpoint=args.domain is not None,
            tags=self.tags,
            opts=self.child(),
        )

    def _deploy(
        self, name: str, args: PublicApiArgs, api: aws.apigateway.RestApi, link_id: Output[str]
    ) -> aws.apigateway.Deployment:
        passing = api_proxy.Passing(
            link_id=link_id,
            load_balancer_arn=args.load_balancer.arn,
            url=args.load_balancer.url,
            timeout_ms=args.timeout_ms,
            media_types=args.media_types,
            key_required=bool(args.plans),
        )
        routes = [api_proxy.ROOT, api_proxy.CATCH_ALL, *(route for route, _ in _throttled(args))]
        resources = api_resources.grow(name, api, (path for _, path in routes), lambda _: self.child())
        passed_on: list[pulumi.Resource] = [
            api_proxy.pass_on(name, api.id, route, resources[route[1]], passing, self.child) for route in routes
        ]
        said = {
            # All that is passed on and how: a stage serves what was deployed last, whatever its API has become.
            "headers": api_proxy.headers(key_required=passing.key_required),
            "templates": [api_proxy.override(path) for _, path in routes],
            "tls": [api_domain.TLS_POLICY, api_domain.ACCESS_MODE],
            "routes": [f"{method} {path}" for method, path in routes],
            "to": [passing.link_id, passing.load_balancer_arn, passing.url],
            "timeout_ms": passing.timeout_ms,
            "media_types": sorted(passing.media_types),
            "key_required": passing.key_required,
            "disabled": args.domain is not None,
        }
        return aws.apigateway.Deployment(
            name,
            rest_api=api.id,
            triggers={"said": api_resources.fingerprint(said)},
            # What is deployed is the API as it stands: all of its routes.
            opts=self.child(ResourceOptions(depends_on=passed_on)),
        )

    def _open(self, name: str, args: PublicApiArgs, deployment: aws.apigateway.Deployment) -> aws.apigateway.Stage:
        stage = api_stage.open_stage(self, name, args, api_id=self.api_id, deployment_id=deployment.id, logged=_LOGGED)
        api_stage.throttle(self, name, stage, self.api_id, args.throttle)
        for route, held_to in _throttled(args):
            api_stage.throttle(self, f"{name}-{route[0]}-{route[1]}", stage, self.api_id, held_to, route=route)
        return stage


def _throttled(args: PublicApiArgs) -> list[tuple[tuple[str, str], Throttle]]:
    """Return the routes that have a throttle of their own, by the alphabet, each with it."""
    if not args.method_throttles:
        return []
    routes = api_paths.parse("method_throttles", args.method_throttles)
    return sorted(((route, args.method_throttles[key]) for key, route in routes.items()), key=lambda each: each[0])
