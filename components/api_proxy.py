"""How a REST API passes requests on to a load balancer within a VPC: each as it came, but for what is said here.

API Gateway puts the stage before the path of what it sends through a VPC link, takes the Host from the integration's
URI, which it uses for nothing else, and passes on what a client says of itself. So the path is overridden, as AWS has
it, and headers that only the gateway knows to be true replace the client's.
https://docs.aws.amazon.com/apigateway/latest/developerguide/private-integration.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from components import api_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulumi import Input, Output, Resource, ResourceOptions

CATCH_ALL: Final = ("ANY", "/{proxy+}")
ROOT: Final = ("ANY", api_paths.ROOT)
"""Every request is one of these two, where no route of its own claims it."""

_VARIABLE: Final = re.compile(r"\{([A-Za-z0-9._-]+)\+?\}")


@dataclass(frozen=True, kw_only=True)
class Passing:
    """Where requests of an API go, and how."""

    link_id: Input[str]
    """The VPC link's id."""
    load_balancer_arn: Input[str]
    """Where the link leads each request."""
    url: Output[str]
    """The load balancer's scheme and host name: what it is asked by, and what its certificate is held against."""
    timeout_ms: int
    """Milliseconds that an answer may take."""
    media_types: Sequence[str]
    """Content types of the bodies that are passed on."""
    key_required: bool
    """Whether callers need a key."""


def pass_on(
    name: str,
    api_id: Output[str],
    route: tuple[str, str],
    resource_id: Output[str],
    passing: Passing,
    child: Callable[[], ResourceOptions],
) -> Resource:
    """Make the method of *route*, a method and a path of the API *name*, and what passes it on; return that."""
    method, path = route
    variables = _VARIABLE.findall(path)
    asked = aws.apigateway.Method(
        f"{name}-{method}-{path}",
        rest_api=api_id,
        resource_id=resource_id,
        http_method=method,
        authorization="NONE",
        api_key_required=passing.key_required,
        request_parameters={f"method.request.path.{variable}": True for variable in variables} or None,
        opts=child(),
    )
    return aws.apigateway.Integration(
        f"{name}-{method}-{path}",
        rest_api=api_id,
        resource_id=resource_id,
        http_method=asked.http_method,
        type="HTTP_PROXY",
        integration_http_method=method,
        connection_type="VPC_LINK",
        connection_id=passing.link_id,
        integration_target=passing.load_balancer_arn,
        uri=passing.url.apply(lambda url: url + _VARIABLE.sub(r"{\1}", path)),
        request_parameters={
            **{f"integration.request.path.{each}": f"method.request.path.{each}" for each in variables},
            **headers(key_required=passing.key_required),
        },
        request_templates={media_type: override(path) for media_type in sorted(passing.media_types)},
        # A body of another type would go where the template does not lead it.
        passthrough_behavior="NEVER",
        timeout_milliseconds=passing.timeout_ms,
        opts=child(),
    )


def headers(*, key_required: bool) -> dict[str, str]:
    """Return the headers that the gateway sets, as an integration has them: they replace what a client sent."""
    said = {
        # By which a line of the access log and one of the workload's are told to be the same request's.
        "X-Request-Id": "context.requestId",
        # The Host is the load balancer's: rules and certificates go by it.
        "X-Forwarded-Host": "context.domainName",
        # Whoever called, whatever they say of themselves. Should API Gateway add them, too, as it is said to, they
        # stand there twice: the load balancer puts the link behind, and the second from the end is the caller.
        "X-Forwarded-For": "context.identity.sourceIp",
    }
    # The key is for the gateway: a workload has no use for it, and might log it.
    kept = {"X-Api-Key": "''"} if key_required else {}
    return {f"integration.request.header.{header}": value for header, value in (said | kept).items()}


def override(path: str) -> str:
    """Return the template by which a request for *path* is passed on with its body, and without the stage."""
    names = _VARIABLE.findall(path)
    said = [f"#set($part{number} = $input.params('{name}'))" for number, name in enumerate(names)]
    numbers = iter(range(len(names)))
    target = _VARIABLE.sub(lambda _: f"$part{next(numbers)}", path)
    return "\n".join([*said, f'#set($context.requestOverride.path = "{target}")', "$input.body"])
