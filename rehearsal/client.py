"""Finds load balancers by their names, as resolvers and clients do, and sends them requests."""

from __future__ import annotations

import json
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rehearsal.graph import Registered
    from rehearsal.script import Request
    from rehearsal.tree import Tree

TIMEOUT: Final = 35.0
"""Seconds for one answer. An API Gateway gives up after 29 and a workload here after 30 by default, each with an answer
that says so; what is still silent then is not going to speak."""
LOOPBACK: Final = ("127.0.0.1", "localhost")
"""Names that lead where they say."""
_BY_HOST: Final = ".elb.amazonaws.com"
"""How names end by which the emulator knows its load balancers. Those of any other name it knows by a path alone."""
_LOAD_BALANCER: Final = "drydock:index:LoadBalancer"
_RECORD: Final = "aws:route53/record:Record"


class NoSuchNameError(Exception):
    """A name that leads nowhere, asked for over HTTPS."""


class Client:
    """An HTTP client that finds every name where the emulator is, as a resolver inside the VPC would find AWS."""

    def __init__(self, gateway: str, domains: Mapping[str, str] = MappingProxyType({})) -> None:
        """Resolve each name to *gateway*, such as ``http://127.0.0.1:4566``, and loopback addresses to themselves.

        *domains* are the names that lead to load balancers (see the function of that name).
        """
        self._gateway, self._domains = gateway, domains
        self._pools = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(TIMEOUT))

    def __enter__(self) -> Self:
        """Keep connections open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self._pools.clear()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, host: str | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request, follow no redirect, and return the answer's status, headers and body.

        Raises:
            NoSuchNameError: *host* is asked for over HTTPS, and leads to no load balancer.
            urllib3.exceptions.HTTPError: there was no answer.

        """
        address, named = self.resolve(url, host)
        answer = self._pools.request(method, address, body=body, headers={**named, **headers}, redirect=False)
        return answer.status, answer.headers, answer.data

    def resolve(self, url: str, host: str | None = None) -> tuple[str, dict[str, str]]:
        """Return where *url* is to be had, and the header that says whom it is for: its own host, or *host*.

        A *host* that leads nowhere is asked for where *url* leads, as with ``curl -H Host:``, but not over HTTPS, where
        the certificate of whoever answers is for other names. The port goes with the name, since the emulator picks a
        load balancer's listener by it. It ends no TLS.

        Raises:
            NoSuchNameError: *host* is asked for over HTTPS, and leads to no load balancer.

        """
        asked = urlsplit(url)
        own = str(asked.hostname)
        if own in LOOPBACK:
            return url, {}
        port = asked.port or {"http": 80, "https": 443}[asked.scheme]
        rest = asked._replace(scheme="", netloc="").geturl()
        name = host or own
        balancer = self._leads_to(name)
        if balancer is None and host:
            if asked.scheme == "https":
                raise NoSuchNameError(
                    f"nothing leads {host!r} to a load balancer: its domain must have it among its `further_names`"
                )
            balancer = self._leads_to(own)
        by_path = f"/_alb/{balancer}" if balancer and not name.endswith(_BY_HOST) else ""
        return f"{self._gateway}{by_path}{rest}", {"Host": f"{name}:{port}" if port != 80 else name}  # noqa: PLR2004

    def curl(self, url: str, request: Request, *, key: str = "") -> str:
        """Return the shell command that sends *request* to its entrance's *url*, with the API key of the id *key*.

        The key's value is fetched by the command itself.
        """
        address, host = self.resolve(url_of(request, url), request.host)
        headers, body = headers_and_body(request)
        words = ["curl", "-i", "-X", request.method]
        for name, value in {**host, **headers}.items():
            words += ["-H", f"{name}: {value}"]
        words += ["-d", body.decode()] if body is not None else []
        if key:
            show = (
                f"aws apigateway get-api-key --api-key {shlex.quote(key)} --include-value --query value --output text"
            )
            return f'{shlex.join(words)} -H "X-Api-Key: $({show})" {shlex.quote(address)}'
        return shlex.join([*words, address])

    def _leads_to(self, name: str) -> str | None:
        """Return the load balancer that *name* leads to, by a record of its own or by one of a wildcard."""
        above = name.partition(".")[2]
        return self._domains.get(name) or self._domains.get(f"*.{above}")


def domains(tree: Tree) -> dict[str, str]:
    """Return the names that lead to *tree*'s load balancers (a ``*.`` first for any label) → the balancers' own.

    Those are each one's DNS name, and the names of the program's records. Where it has none that leads to a balancer,
    somebody else has, and all names of its domain lead there.
    """
    balancers = {str(each.outputs["dns_name"]).lower(): each for each in tree.of(_LOAD_BALANCER)}
    named = {dns_name: str(each.outputs["arn_suffix"]).split("/")[1] for dns_name, each in balancers.items()}
    by_record: dict[str, str] = {}
    for record in tree.of(_RECORD):
        for alias in record.inputs.get("aliases", []):
            if balancer := named.get(str(alias["name"]).lower()):
                by_record[record.inputs["name"]] = balancer
    by_others = {
        name: named[dns_name]
        for dns_name, each in balancers.items()
        if named[dns_name] not in by_record.values()
        for name in _names(each.inputs)
    }
    return named | by_record | by_others


def url_of(request: Request, entrance: str) -> str:
    """Return the URL of *request* through the *entrance*'s, by the scheme that it says."""
    url = entrance.rstrip("/") + request.path
    return url if request.scheme is None else urlsplit(url)._replace(scheme=request.scheme).geturl()


def headers_and_body(request: Request) -> tuple[dict[str, str], bytes | None]:
    """Return what *request* is sent with."""
    if request.json_ is not None:
        return {"Content-Type": "application/json", **request.headers}, json.dumps(request.json_).encode()
    return dict(request.headers), request.text.encode() if request.text is not None else None


def names(graph: Iterable[Registered]) -> list[str]:
    """Return the names of the domains that the load balancers of *graph* were declared with."""
    return [name for each in graph if each.type == _LOAD_BALANCER for name in _names(each.inputs)]


def _names(balancer: Mapping[str, Any]) -> list[str]:
    """Return the names of the domain that a load balancer was declared with."""
    domain: dict[str, Any] | None = json.loads(balancer.get("declared", "{}")).get("args", {}).get("domain")
    return [domain["name"], *domain.get("further_names", [])] if domain else []
