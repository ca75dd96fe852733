"""Resources as rules see them, alone (their inputs) and together (a graph with outputs and dependencies)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from policies.reading import Known, Reading, Tree, Unknown, read, thaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pulumi_policy import PolicyResource, ResourceValidationArgs


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource: what the program gave it and, in a graph, what came of it and where its values are from."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Tree]
    """After Check, as the provider will get them: autonames and `tagsAll` included."""
    parent: str | None = None
    """The parent's URN."""
    provider: dict[str, Tree] = field(default_factory=dict[str, Tree])
    """The inputs of its provider: region, default tags."""
    outputs: dict[str, Tree] = field(default_factory=dict[str, Tree])
    """Empty outside a graph."""
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Input property → URNs that its value came from. Empty outside a graph."""

    def read(self, path: str) -> Reading:
        """What the program gave for *path*."""
        return read(self.inputs, path)

    def output(self, path: str) -> Reading:
        """What the provider answered for *path*."""
        return read(self.outputs, path)

    @property
    def title(self) -> str:
        """How a message names it: type and logical name."""
        return f"{self.type.rsplit(':', 1)[-1]} {self.name!r}"

    @classmethod
    def alone(cls, args: ResourceValidationArgs) -> Resource:
        """A resource as a resource policy is given it."""
        return cls(
            urn=args.urn,
            type=args.resource_type,
            name=args.name,
            inputs=cast("dict[str, Tree]", thaw(args.props)),
            parent=args.opts.parent,
            provider=cast("dict[str, Tree]", thaw(args.provider.props)) if args.provider else {},
        )


class Graph:
    """All resources of a stack, to be asked who stands where and what refers to what."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.by_urn: dict[str, Resource] = {resource.urn: resource for resource in resources}
        self._by_type: dict[str, list[Resource]] = {}
        for resource in self.by_urn.values():
            self._by_type.setdefault(resource.type, []).append(resource)

    @classmethod
    def of(cls, resources: Iterable[PolicyResource], seen: Mapping[str, Resource]) -> Graph:
        """Join what a stack policy is given (outputs) to the inputs *seen* in the resources' own analysis.

        Providers hide inline routes in their outputs, and a component's outputs replace what it declared: the inputs
        say what was meant. Where none were seen, the outputs stand for them.
        """
        return cls(_joined(resource, seen.get(resource.urn)) for resource in resources)

    def of_type(self, *types: str) -> Iterator[Resource]:
        """Every resource of one of *types*."""
        for token in types:
            yield from self._by_type.get(token, ())

    def sources(self, resource: Resource, key: str, *types: str) -> list[Resource]:
        """Resources of *types* that the value of *key* came from."""
        urns = sorted(resource.sources.get(key, frozenset()))
        found = (self.by_urn[urn] for urn in urns if urn in self.by_urn)
        return [source for source in found if source.type in types]

    def refers(self, resource: Resource, key: str, target: Resource, attribute: str = "id") -> bool:
        """Whether *resource*'s *key* is *target*'s *attribute*: by value where both are known, else by dependency."""
        match resource.read(key), target.output(attribute):
            case Known(mine), Known(theirs):
                return mine == theirs
            case _:
                return target.urn in resource.sources.get(key, frozenset())


def _joined(given: PolicyResource, seen: Resource | None) -> Resource:
    outputs = cast("dict[str, Tree]", thaw(given.props))
    return Resource(
        urn=given.urn,
        type=given.resource_type,
        name=given.name,
        inputs=seen.inputs if seen else outputs,
        parent=given.parent.urn if given.parent else given.opts.parent,
        provider=cast("dict[str, Tree]", thaw(given.provider.props)) if given.provider else {},
        outputs=outputs,
        sources={key: frozenset(r.urn for r in found) for key, found in given.property_dependencies.items()},
    )


def ancestors(resource: Resource, seen: Mapping[str, Resource]) -> Iterator[Resource]:
    """*resource*'s parents, nearest first."""
    parent = resource.parent
    while parent and parent in seen:
        yield seen[parent]
        parent = seen[parent].parent


def is_blank(value: Tree) -> bool:
    """Whether a provider means "not given" by *value*: it fills optional properties with empty strings."""
    return value is None or value in ("", [], {})


def known_text(reading: Reading) -> str | None:
    """The text of *reading* where it is known and text."""
    return reading.value if isinstance(reading, Known) and isinstance(reading.value, str) else None


def is_unknown(value: object) -> bool:
    """Whether *value* is not known yet."""
    return isinstance(value, Unknown)
