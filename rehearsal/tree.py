"""What the program registered, asked by whom it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rehearsal.graph import Registered


class Tree:
    """The resources of one run. A workload is the top-level component of its name, with all below it."""

    def __init__(self, graph: Sequence[Registered], outputs: Mapping[str, Any]) -> None:
        """Read *graph*, and which workloads there are from the stack's *outputs*."""
        self._resources = {resource.urn: resource for resource in graph}
        self.workloads: Mapping[str, Mapping[str, Any]] = outputs.get("workloads") or {}
        """Name of a workload → what it hands out."""

    def of(self, token: str) -> list[Registered]:
        """Return the resources of the type *token*, in the order of registration."""
        return [resource for resource in self._resources.values() if resource.type == token]

    def own(self, workload: str, token: str) -> list[Registered]:
        """Return those of the type *token* that belong to *workload*."""
        return [resource for resource in self.of(token) if self.workload_of(resource) == workload]

    def get(self, urn: str) -> Registered | None:
        """Return the resource at *urn*, unless that is the stack or a stranger."""
        return self._resources.get(urn)

    def workload_of(self, resource: Registered) -> str:
        """Return the name of the workload that *resource* belongs to; empty if it is the platform's."""
        top = list(self._up(resource))[-1].name
        return top if top in self.workloads else ""

    def _up(self, resource: Registered) -> Iterator[Registered]:
        """Yield *resource* and its ancestors, the top-level one last."""
        at: Registered | None = resource
        while at is not None:
            yield at
            at = self._resources.get(at.parent)
