"""Runs a piece of a Pulumi program without an engine, and hands back what it registered.

    resources = record(lambda: Network("main", NetworkArgs(...)))
    vpc = one(resources, "aws:ec2/vpc:Vpc")
    assert vpc.inputs["cidrBlock"] == "10.0.0.0/16"

Stricter than Pulumi's own mocks, which accept two resources of one URN and answer every invoke with nothing: here
both end the test.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, rpc

from tests.certificates import validation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_PREFIX: Final = "urn:pulumi:test::drydock"

STACK: Final = f"{_PREFIX}::pulumi:pulumi:Stack::drydock-test"
"""The parent of a resource that was given none."""

_ANSWERED: Final = (
    "arn", "arnSuffix", "bucket", "dnsName", "executionArn", "invokeArn", "invokeUrl", "name", "publicIp",
    "regionalDomainName", "regionalZoneId", "repositoryUrl", "rootResourceId", "url", "zoneId",
)  # fmt: skip
"""Outputs that every resource has here beside its inputs, as ``<logical name>.<output>``, unless it was given them."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One registration, as the engine would have been sent it."""

    urn: str
    type: str
    """The type token, such as ``aws:ec2/vpc:Vpc`` or ``drydock:index:Network``."""
    name: str
    """The logical name."""
    parent: str
    """The parent's URN, `STACK` for none."""
    custom: bool
    """False for components."""
    inputs: Mapping[str, Any]
    """A custom resource's inputs, keys in camelCase; a component's props, keys as it gave them.

    As they go over the wire: unknown leaves are `UNKNOWN`, secrets the mapping that marks them, numbers floats.
    """
    provider: str
    """``<urn>::<id>`` of its explicit provider, or nothing."""
    protect: bool
    retained: bool
    """Whether a destroy forgets it, and leaves it where it is."""
    dependencies: frozenset[str]
    """URNs of all that it waits for."""
    property_dependencies: Mapping[str, frozenset[str]]
    """Input → URNs that its value came from."""
    ignore_changes: tuple[str, ...]
    """Inputs whose change is none, in camelCase."""
    aliases: tuple[Mapping[str, Any], ...]
    """Each as the engine gets it: ``{"urn": ...}``, or what differs, such as ``{"spec": {"name": "old"}}``."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """What a component registered with `register_outputs`."""


UNKNOWN: Final = rpc.UNKNOWN
"""What stands for a value that is not known yet, with ``preview=True``."""


def record(
    build: Callable[[], object],
    *,
    preview: bool = False,
    outputs: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> list[Recorded]:
    """Run *build* and return its registrations in the order they arrived (which threads decide; ask by name).

    With *preview*, ids and outputs are unknown, as before a first deployment. *outputs* says more than the recorder
    does of a resource's answer, by type token, logical name and inputs. What *build* raises comes out as it is, and
    what it returns is awaited: return outputs with assertions in their `apply`.
    """
    monitor = _Monitor(_Answers(preview=preview, more=outputs or (lambda _type, _name, _inputs: {})))
    mocks.set_mocks(monitor.mocks, project="drydock", stack="test", preview=preview, monitor=monitor)
    mocks.test(build)()
    if monitor.wrong:
        raise AssertionError("; ".join(monitor.wrong))
    return list(monitor.recorded.values())


def of_type(resources: Iterable[Recorded], token: str) -> dict[str, Recorded]:
    """Return the resources of type *token* by logical name; a token may be given by its end, such as ``:Vpc``."""
    return {resource.name: resource for resource in resources if resource.type.endswith(token)}


def one(resources: Iterable[Recorded], token: str, name: str | None = None) -> Recorded:
    """Return the only resource of type *token* (and of logical *name*)."""
    found = [item for item in of_type(resources, token).values() if name in (None, item.name)]
    assert len(found) == 1, f"{len(found)} of {token} {name or ''}: {[item.name for item in found]}"
    return found[0]


class _Answers(mocks.Mocks):
    def __init__(self, *, preview: bool, more: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self.preview = preview
        self.more = more

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.custom is False:
            return None, {}
        given = args.inputs if self.preview else {key: f"{args.name}.{key}" for key in _ANSWERED} | args.inputs
        if args.typ == "aws:vpclattice/service:Service" and not self.preview:
            given = {"dnsEntries": [{"domainName": f"{args.name}.dnsName"}]} | given
        if args.typ == "aws:acm/certificate:Certificate" and not self.preview:
            given = {"domainValidationOptions": validation(args.inputs)} | given
        if args.typ == "aws:rds/instance:Instance" and not self.preview:
            arn = f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:{args.name}-abcdef"
            given = {"masterUserSecrets": [{"secretArn": arn}], "address": f"{args.name}.address"} | given
        if args.typ == "aws:cloudformation/stack:Stack" and not self.preview:
            given = {"outputs": {"Arn": f"{args.name}.outputs.Arn"}} | given
        return "" if self.preview else f"{args.name}-id", {**given, **self.more(args.typ, args.name, args.inputs)}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise NotImplementedError(args.token)  # the monitor below answers first


class _Monitor(mocks.MockMonitor):
    def __init__(self, answers: _Answers) -> None:
        super().__init__(answers)
        self.recorded: dict[str, Recorded] = {}
        self.wrong: list[str] = []
        self._lock = threading.Lock()  # registrations arrive on several threads

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Chain the types of all ancestors but the stack, as the engine does; Pulumi's mock stops at the parent."""
        ancestors = parent.split("::")[2] if parent and parent != STACK else ""
        return "::".join([_PREFIX, f"{ancestors}${type_}".lstrip("$"), name])

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            said = Recorded(
                urn=response.urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                inputs=MessageToDict(request.object),
                provider=request.provider,
                protect=request.protect,
                retained=request.retainOnDelete,
                dependencies=frozenset(request.dependencies),
                property_dependencies={key: frozenset(of.urns) for key, of in request.propertyDependencies.items()},
                ignore_changes=tuple(request.ignoreChanges),
                aliases=tuple(MessageToDict(alias) for alias in request.aliases),
            )
            with self._lock:
                if said.urn in self.recorded:
                    self.wrong.append(f"two resources have the URN {said.urn}")
                self.recorded[said.urn] = said
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        if request.urn in self.recorded:
            self.recorded[request.urn].outputs.update(MessageToDict(request.outputs))
        return super().RegisterResourceOutputs(request)

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        message = f"the invoke {request.tok}: pass the value in instead"
        self.wrong.append(message)
        raise pulumi.RunError(message)
