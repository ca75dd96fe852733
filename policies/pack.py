"""Serves one pack to the engine: its rules as few policies, since each policy deserialises every resource again.

A pack has a policy on resources (which prevents their creation), where it needs one a policy on the graph (which blocks
at a preview, and reports after an update), and one of notes that says which exceptions were used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import grpc
import pulumi_policy.policy as engine
from google.protobuf import json_format
from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.configuration import SCHEMA, ConfigurationError, Given, nearest
from policies.findings import Finding, Ledger
from policies.resources import Graph, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_policy import Policy

Options = TypeVar("Options")
Report = Callable[[str, str | None], None]


@dataclass(kw_only=True)
class Pack(Generic[Options]):
    """What a pack is made of. `serve` runs it; tests ask it directly."""

    name: str
    description: str
    rules: frozenset[str]
    """The names that findings carry and exceptions name."""
    read: Callable[[Given], Options]
    """Reads the pack's own options."""
    schema: Mapping[str, Mapping[str, Any]]
    """Those options as JSON schema."""
    on_resource: Callable[[Resource, Mapping[str, Resource], Options], Iterable[Finding]]
    """Judges one resource, given those registered before it (parents always are)."""
    on_graph: Callable[[Graph, Options], Iterable[Finding]] | None = None
    seen: dict[str, Resource] = field(default_factory=dict[str, Resource])

    def __post_init__(self) -> None:
        self.configure({})

    def configure(self, values: Mapping[str, Any]) -> None:
        """Take the configuration in.

        Raises:
            ConfigurationError: a key or a rule's name is unknown, or a value is of the wrong kind.

        """
        given = Given(self.name, values)
        options = self.read(given)
        exceptions, on_unknown = given.exceptions(self.rules), given.on_unknown()
        given.finish()
        self.options = options
        self.ledger = Ledger(exceptions=exceptions, on_unknown=on_unknown, today=datetime.now(UTC).date())

    def judge_resource(self, resource: Resource) -> list[tuple[str, str]]:
        """Violations of one resource: message and URN."""
        self.seen[resource.urn] = resource
        return self._sort(lambda: self.on_resource(resource, self.seen, self.options), resource.urn)

    def judge_graph(self, graph: Graph) -> list[tuple[str, str]]:
        """Violations of the resources together: message and URN."""
        judge = self.on_graph
        return self._sort(lambda: judge(graph, self.options), "") if judge else []

    def _sort(self, judge: Callable[[], Iterable[Finding]], urn: str) -> list[tuple[str, str]]:
        findings: list[Finding] = []
        crash: list[tuple[str, str]] = []
        try:
            findings.extend(judge())
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here must refuse, not pass
            crash.append((_crashed(error), urn))
        return crash + [(message, each.urn) for each in findings for message in self.ledger.violations(each)]

    def policies(self) -> list[Policy]:
        """The pack as CrossGuard has it, in the order they must run."""

        def resource(args: ResourceValidationArgs, report: Report) -> None:
            for message, _ in self.judge_resource(Resource.alone(args)):
                report(message, None)

        def graph(args: StackValidationArgs, report: Report) -> None:
            for message, urn in self.judge_graph(Graph.of(args.resources, self.seen)):
                report(message, urn or None)

        def notes(_: StackValidationArgs, report: Report) -> None:
            for message, urn in self.ledger.close():
                report(message, urn or None)
            self.seen.clear()

        schema = PolicyConfigSchema({**SCHEMA, **{key: dict(value) for key, value in self.schema.items()}})
        made: list[Policy] = [
            ResourceValidationPolicy(self.name, self.description, resource, EnforcementLevel.MANDATORY, schema)
        ]
        if self.on_graph:
            made.append(
                StackValidationPolicy(f"{self.name}-graph", self.description, graph, EnforcementLevel.MANDATORY)
            )
        made.append(
            StackValidationPolicy(
                f"{self.name}-notes", f"Exceptions to: {self.description}", notes, EnforcementLevel.ADVISORY
            )
        )
        return made


def _crashed(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    # The error's own text is left out: it may quote a value, and values may be secret.
    return f"crash: {type(error).__name__}{where}, so nothing was proved; this is a fault of the pack"


def serve(pack: Pack[Any]) -> None:
    """Run *pack* under the engine. Never returns."""
    policies = pack.policies()
    names = {policy.name for policy in policies}

    class Servicer(engine._PolicyAnalyzerServicer):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        """Refuses configuration that no policy would read: CrossGuard itself ignores it."""

        def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
            given = {name: json_format.MessageToDict(it.properties) for name, it in request.policyConfig.items()}
            errors = [f"{it!r} is no policy of this pack; {nearest(it, names)}" for it in given if it not in names]
            errors += [
                f"{it!r} takes no keys; give them to {pack.name!r}" for it in names - {pack.name} if given.get(it)
            ]
            try:
                pack.configure(given.get(pack.name, {}))
            except ConfigurationError as error:
                errors.append(str(error))
            if errors:
                _context.abort(grpc.StatusCode.INVALID_ARGUMENT, "\n".join([f"configuration of {pack.name}:", *errors]))
            return cast("Any", super()).Configure(request, _context)

    # PolicyPack has no other way to be told of names it does not know. A test over the protocol holds this.
    engine._PolicyAnalyzerServicer = Servicer  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    PolicyPack(pack.name, policies, EnforcementLevel.MANDATORY, description=pack.description)
