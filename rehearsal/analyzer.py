"""The Analyzer protocol's messages, written as the Pulumi engine writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import grpc
    from google.protobuf import empty_pb2

    from rehearsal.graph import Registered

SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, which Pulumi's SDKs share
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"


class Analyzer(Protocol):
    """The protocol's client: Pulumi's own stubs import their types from a module that is not there."""

    def Handshake(  # noqa: N802 - these names are the protocol's
        self, request: proto.AnalyzerHandshakeRequest, *, timeout: float, wait_for_ready: bool
    ) -> object:
        """Say where the pack is. CrossGuard for Python does not implement it."""
        ...

    def ConfigureStack(self, request: proto.AnalyzerStackConfigureRequest, *, timeout: float) -> object:  # noqa: N802
        """Say which stack it is, and whether this is a preview."""
        ...

    def GetAnalyzerInfo(self, request: empty_pb2.Empty, *, timeout: float) -> proto.AnalyzerInfo:  # noqa: N802
        """Ask for the pack's policies and their levels."""
        ...

    def Configure(self, request: proto.ConfigureAnalyzerRequest, *, timeout: float) -> object:  # noqa: N802
        """Give each policy its level and keys."""
        ...

    def Remediate(self, request: proto.AnalyzeRequest, *, timeout: float) -> proto.RemediateResponse:  # noqa: N802
        """Let the pack change a resource's inputs."""
        ...

    def Analyze(self, request: proto.AnalyzeRequest, *, timeout: float) -> proto.AnalyzeResponse:  # noqa: N802
        """Have one resource judged by its inputs."""
        ...

    def AnalyzeStack(self, request: proto.AnalyzeStackRequest, *, timeout: float) -> proto.AnalyzeResponse:  # noqa: N802
        """Have all resources judged together, once, at the end."""
        ...


def client(channel: grpc.Channel) -> Analyzer:
    """The protocol's client over *channel*."""
    return cast("Analyzer", cast("Any", analyzer_pb2_grpc).AnalyzerStub(channel))


@dataclass(frozen=True)
class Messages:
    """A graph as the protocol has it, made once for all packs."""

    alone: tuple[proto.AnalyzeRequest, ...]
    """Each resource with its inputs after Check, in the order of registration."""
    together: proto.AnalyzeStackRequest
    """All of them with their outputs (a component's are what it registered) and where their values came from."""

    @classmethod
    def of(cls, graph: Sequence[Registered]) -> Messages:
        """Write *graph* as the engine would send it."""
        providers = {it.urn: _provider(it) for it in graph if it.type.startswith("pulumi:providers:")}
        alone = tuple(
            proto.AnalyzeRequest(
                urn=it.urn,
                type=it.type,
                name=it.name,
                properties=_properties(it.inputs, it.secret_inputs),
                options=_options(it),
                provider=providers.get(it.provider),
            )
            for it in graph
        )
        together = [
            proto.AnalyzerResource(
                urn=it.urn,
                type=it.type,
                name=it.name,
                properties=_properties(_outputs(it), it.secret_inputs),
                options=_options(it),
                provider=providers.get(it.provider),
                parent=it.parent,
                dependencies=it.dependencies,
                propertyDependencies={
                    key: proto.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in it.property_dependencies.items()
                    if urns
                },
            )
            for it in graph
        ]
        return cls(alone, proto.AnalyzeStackRequest(resources=together))


def _options(resource: Registered) -> proto.AnalyzerResourceOptions:
    return proto.AnalyzerResourceOptions(
        protect=resource.protect,
        parent=resource.parent,
        aliases=resource.aliases,
        customTimeouts=proto.AnalyzerResourceOptions.CustomTimeouts(),
    )


def _provider(resource: Registered) -> proto.AnalyzerProviderResource:
    return proto.AnalyzerProviderResource(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        properties=_properties(resource.inputs, resource.secret_inputs),
    )


def _outputs(resource: Registered) -> dict[str, Any]:
    """The resource's outputs; the AWS provider has the id among them."""
    return {"id": resource.id or rpc.UNKNOWN, **resource.outputs} if resource.custom else resource.outputs


def _properties(values: Mapping[str, Any], secrets: frozenset[str]) -> struct_pb2.Struct:
    """Values as the engine marshals them: secrets in their envelope, internal keys left out."""
    plain = {
        key: {SIGNATURE: SECRET, "value": value} if key in secrets else value
        for key, value in values.items()
        if not key.startswith("__")
    }
    struct = struct_pb2.Struct()
    json_format.ParseDict(plain, struct)
    return struct
