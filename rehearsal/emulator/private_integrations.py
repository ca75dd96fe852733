"""The corrections of how a REST API passes requests on to a load balancer within a VPC.

The emulator forgets which load balancer an integration names, and calls its URI, which leads nowhere on this machine;
and sends on neither the headers nor the path that the integration says.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import asyncio
import contextvars
import importlib
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

alb: Any = importlib.import_module("ministack.services.alb")
apigateway_v1: Any = importlib.import_module("ministack.services.apigateway_v1")
responses: Any = importlib.import_module("ministack.core.responses")

_LARGEST: Final = 10 * 1024 * 1024
"""Bytes of a body, of a request's or an answer's."""
_OVERRIDE: Final = re.compile(r'#set\(\$context\.requestOverride\.path = (".*?")\)')
_SET: Final = re.compile(r"#set\(\$(\w+) = (\$input\.params\('[\w.-]+'\))\)")
_HEADER: Final = "integration.request.header."
# Of one connection, or decided anew for the next one.
_NOT_PASSED_ON: Final = frozenset({"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"})

_request: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("request")
"""The request in hand, as the emulator has it: its id, its API, its stage."""


def keep_integration_targets() -> None:
    """Keep what an integration says of a VPC link: the link, and the load balancer that it is to lead to."""
    put = apigateway_v1._put_integration

    def kept(api_id: str, resource_id: str, http_method: str, data: dict[str, Any]) -> Any:
        answer = put(api_id, resource_id, http_method, data)
        method = apigateway_v1._resources.get(api_id, {}).get(resource_id, {}).get("resourceMethods", {})
        if integration := method.get(http_method, {}).get("methodIntegration"):
            integration |= {name: data[name] for name in ("connectionId", "integrationTarget") if name in data}
        return answer

    apigateway_v1._put_integration = kept


def pass_on_through_the_link() -> None:
    """Lead requests of an integration with a target to that load balancer, as the integration says.

    The path begins with the stage unless the template overrides it; the Host is the URI's; headers are those that the
    integration sets, and the client's others. A body that is too large is 413, an answer that takes too long is 504.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/private-integration.html
    """
    execute, invoke = apigateway_v1._execute_in_scope, apigateway_v1._invoke_http_proxy_v1

    async def executed(request: Mapping[str, Any], *rest: Any) -> Any:
        _request.set(request)
        return await execute(request, *rest)

    async def invoked(
        integration: dict[str, Any],
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        query: Mapping[str, Any],
        path_params: Mapping[str, str] | None = None,
    ) -> Any:
        if "integrationTarget" not in integration:
            return await invoke(integration, path, method, headers, body, query, path_params)
        balancer = _balancer(integration["integrationTarget"])
        if balancer is None:
            return apigateway_v1._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
        if len(body) > _LARGEST:
            return apigateway_v1._gw_error("REQUEST_TOO_LARGE", "Request Too Long")
        asked = urlsplit(str(integration["uri"]))
        stage = _request.get()["stage_name"]
        target = _override(integration, headers, path_params or {}) or f"/{stage}{path}"
        sent = _sent(integration, headers, asked.netloc)
        dispatched = alb.dispatch_request(
            balancer, method, target, sent, body, query, asked.port or {"http": 80, "https": 443}[asked.scheme],
            raw_query_string=urlencode(query, doseq=True), raw_path=quote(target, safe="/:@!$&'()*+,;=~"),
        )  # fmt: skip
        try:
            status, answered, content = await asyncio.wait_for(
                _whole(dispatched), integration["timeoutInMillis"] / 1000
            )
        except TimeoutError:
            return apigateway_v1._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        if len(content) > _LARGEST:
            return apigateway_v1._gw_error("INTEGRATION_FAILURE", "Internal server error")
        return status, {name: value for name, value in answered.items() if name.lower() not in _NOT_PASSED_ON}, content

    apigateway_v1._execute_in_scope = executed
    apigateway_v1._invoke_http_proxy_v1 = invoked


async def _whole(dispatched: Awaitable[tuple[int, dict[str, Any], Any]]) -> tuple[int, dict[str, Any], bytes]:
    """Return an answer once it is there to its end, as API Gateway does before it begins with its own."""
    status, headers, answer = await dispatched
    if not isinstance(answer, responses.StreamingResponse):
        return status, headers, answer
    chunks: list[bytes] = []

    async def send(message: Mapping[str, Any]) -> None:
        chunks.append(message.get("body", b""))

    await answer.runner(send, asyncio.Event().wait)
    return status, headers, b"".join(chunks)


def _balancer(arn: str) -> dict[str, Any] | None:
    return next((each for each in alb._lbs.values() if each["LoadBalancerArn"] == arn), None)


def _override(integration: dict[str, Any], headers: Mapping[str, str], path_params: Mapping[str, str]) -> str | None:
    """Return the path that the template for the body's type overrides the request's with, if it does."""
    given: str = apigateway_v1._header_ci(headers, "content-type") or "application/json"
    templates: dict[str, str] = integration.get("requestTemplates") or {}
    template = templates.get(given.partition(";")[0].strip().lower(), "")
    found = _OVERRIDE.search(template)
    if not found:
        return None
    state: dict[str, Any] = {"vars": {}, "context": {}, "body": "", "params": path_params, "gobbled": False}
    for name, value in _SET.findall(template):
        state["vars"][name] = apigateway_v1._vtl_value(value, state)
    return cast("str", apigateway_v1._vtl_value(found[1], state))


def _sent(integration: dict[str, Any], headers: Mapping[str, str], host: str) -> dict[str, str]:
    """Return the headers that a request is passed on with."""
    request = _request.get()
    context = {
        "requestId": request["request_id"],
        "domainName": apigateway_v1._header_ci(headers, "host"),
        "identity.sourceIp": responses.get_request_client_ip(),
    }
    sent = {name.lower(): value for name, value in headers.items() if name.lower() not in _NOT_PASSED_ON}
    said: dict[str, str] = integration.get("requestParameters") or {}
    for name, source in said.items():
        if name.startswith(_HEADER):
            sent[name.removeprefix(_HEADER).lower()] = _value(source, context, headers)
    before = [sent["x-forwarded-for"]] if "x-forwarded-for" in sent else []
    sent["x-forwarded-for"] = ", ".join([*before, responses.get_request_client_ip()])
    return sent | {"host": host}


def _value(source: str, context: Mapping[str, str], headers: Mapping[str, str]) -> str:
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith("context."):
        return context[source.removeprefix("context.")]
    return apigateway_v1._header_ci(headers, source.removeprefix("method.request.header."))
