"""Resources and graphs as the engine would hand them to a pack, in few words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.reading import Tree, thaw
from policies.resources import Graph, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policies.findings import Finding
    from policies.pack import Pack

UNKNOWN = UNKNOWN_STRING_VALUE
REGION = "eu-west-1"
ACCOUNT = "123456789012"


def frozen(values: Mapping[str, Any]) -> dict[str, Tree]:
    """*values* as a pack reads them, through Pulumi's own proxies."""
    return cast("dict[str, Tree]", thaw(unknown_checking_proxy(dict(values))))


def urn_of(token: str, name: str) -> str:
    return f"urn:pulumi:dev::drydock::{token}::{name}"


def made(
    token: str,
    name: str,
    inputs: Mapping[str, Any] | None = None,
    *,
    parent: Resource | None = None,
    outputs: Mapping[str, Any] | None = None,
    sources: Mapping[str, list[Resource]] | None = None,
    provider: Mapping[str, Any] | None = None,
) -> Resource:
    """One resource. Without *outputs*, as at a first preview: its id is not known.

    What a component of ours declares is in one text, as it writes it; of any other's, in props of their own.
    """
    inputs = _in_one_text(inputs or {}) if token.startswith("drydock:") else inputs or {}
    return Resource(
        urn=urn_of(token, name),
        type=token,
        name=name,
        inputs=frozen(inputs),
        parent=parent.urn if parent else None,
        provider=frozen(provider or {}),
        outputs=frozen(outputs if outputs is not None else {"id": UNKNOWN, **inputs}),
        sources={key: frozenset(it.urn for it in found) for key, found in (sources or {}).items()},
    )


def _in_one_text(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return *inputs* with declarations as `Component` sends them, in which null stands for what is not known."""
    declared = {key: value for key, value in inputs.items() if key in ("policies", "trusts")}
    rest = {key: value for key, value in inputs.items() if key not in declared}
    return {**rest, "declared": json.dumps(_with_nulls(declared))} if declared else rest


def _with_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_nulls(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_with_nulls(each) for each in cast("list[Any]", value)]
    return None if value == UNKNOWN else value


def alone(pack: Pack[Any], *resources: Resource, **configuration: Any) -> list[Finding]:
    """What *pack* finds in the last of *resources*, the ones before it having been seen."""
    pack.configure(configuration)
    seen = {it.urn: it for it in resources}
    return list(pack.on_resource(resources[-1], seen, pack.options))


def together(pack: Pack[Any], *resources: Resource, **configuration: Any) -> list[Finding]:
    """What *pack* finds in *resources* as a graph."""
    pack.configure(configuration)
    assert pack.on_graph is not None
    return list(pack.on_graph(Graph(resources), pack.options))


def rules(findings: list[Finding]) -> list[str]:
    """The rules broken, and not merely unproved."""
    return [it.rule for it in findings if not it.unproved]


def unproved(findings: list[Finding]) -> list[str]:
    """The rules that could not be proved."""
    return [it.rule for it in findings if it.unproved]
