"""The engine's side of a program's run: it records what is registered, refuses what the engine and the provider would.

Pulumi's own mocks accept anything. This monitor is theirs, made strict.
"""

from __future__ import annotations

import json
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, cast

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import UNKNOWN

from rehearsal import schema, wire
from rehearsal.autoname import Names, NameTooLongError
from rehearsal.graph import Answer, Registered
from rehearsal.hooks import HookError, Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STACK: Final = "pulumi:pulumi:Stack"
_PROVIDER: Final = "pulumi:providers:"


class Refused(pulumi.RunError):
    """What the engine, the provider or AWS would not have; the message is the user's to read, and whole."""


class BrokenStandInError(Exception):
    """A stand-in failed by itself: neither the program nor AWS is to blame."""

    def __init__(self, resource: Registered, error: Exception) -> None:
        super().__init__(f"{_of(resource)}: its stand-in broke: {error!r}")
        self.detail = "".join(traceback.format_exception(error))  # the SDK overwrites an exception's own cause


class StoppedError(Exception):
    """The run has failed elsewhere: this registration is not taken up."""


class Maker(Protocol):
    """What makes resources: the stand-ins."""

    def knows(self, token: str) -> bool:
        """Say whether there is a stand-in for the type *token*."""
        ...

    def make(self, resource: Registered) -> Answer:
        """Make *resource*; called on several threads at once."""
        ...


class _NoMocks(Mocks):
    """Nothing is answered by rote: the monitor's own methods come first, and these are never reached."""

    def call(self, args: MockCallArgs) -> NoReturn:
        raise Refused(f"unexpected call of {args.token}")

    def new_resource(self, args: MockResourceArgs) -> NoReturn:
        raise Refused(f"unexpected resource {args.typ} {args.name!r}")


class Monitor(MockMonitor):
    """One run of one program. Its methods are the engine's, called by the SDK on several threads at once."""

    def __init__(
        self,
        *,
        project: str,
        stack: str,
        maker: Maker,
        preview: bool,
        names: Names | None = None,
        on_start: Callable[[Registered], None] = lambda _: None,
        on_done: Callable[[Registered], None] = lambda _: None,
    ) -> None:
        """Record a run of *project* on *stack*; nothing is made in a *preview*, and what is computed is unknown."""
        super().__init__(_NoMocks())
        self.graph: dict[str, Registered] = {}
        """URN → resource, in the order of registration: parents before their children."""
        self.exports: dict[str, Any] = {}
        self.secret_exports: frozenset[str] = frozenset()
        self.failure: BaseException | None = None
        """The first refusal; whatever else the program raised follows from it."""
        self._stack = stack
        self._project = project
        self._maker = maker
        self.preview = preview
        self._names = names or Names()
        self._hooks = Hooks()
        self._on_start = on_start
        self._on_done = on_done
        self._lock = threading.Lock()
        self._finished: set[str] = set()

    def stop(self, failure: BaseException) -> None:
        """Take up no more registrations; the first *failure* is kept."""
        with self._lock:
            self.failure = self.failure or failure

    def unfinished(self) -> list[Registered]:
        """Return the components that never called `register_outputs`."""
        return [
            resource
            for resource in self.graph.values()
            if not resource.custom and not resource.remote and resource.urn not in self._finished
        ]

    # The engine's protocol: names and requests are its own.

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the URN as the engine composes it: with the types of all ancestors but the stack."""
        above = parent.split("::")[2] if parent else ""
        qualified = type_ if above in ("", _STACK) else f"{above}${type_}"
        return f"urn:pulumi:{self._stack}::{self._project}::{qualified}::{name}"

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Record a resource and, but in a preview, make it; any refusal stops the run."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        try:
            resource = self._recorded(urn, request)
            self._make(resource)
        except Exception as failure:
            self.stop(failure)
            raise
        secret = resource.secret_inputs | frozenset(request.additionalSecretOutputs)
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=resource.id, object=wire.wired(resource.outputs, secret)
        )

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:  # noqa: N802
        """Record what a component, or the stack, hands out."""
        outputs, secret = wire.plain(request.outputs)
        with self._lock:
            if f"::{_STACK}::" in request.urn:
                self.exports |= outputs
                self.secret_exports |= secret
            elif request.urn in self._finished:
                raise Refused(f"{_of(self.graph[request.urn])}: its outputs are registered twice")
            else:
                self.graph[request.urn].outputs |= outputs
                self._finished.add(request.urn)
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> NoReturn:  # noqa: N802
        """Refuse: what a function answers is a fact of a real account."""
        self._refuse(
            f"the program calls the function {request.tok}, which asks a real account: pass the value in from the "
            "stack file instead"
        )

    def Call(self, request: Any) -> NoReturn:  # noqa: N802
        """Refuse the call of a resource's method."""
        self._refuse(f"the program calls the method {request.tok}, for which there is no stand-in")

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> NoReturn:  # noqa: N802
        """Refuse: a rehearsal begins with an empty account."""
        self._refuse(
            f"{request.type} {request.name!r} reads the existing {request.id!r}: a rehearsal begins with an empty "
            "account, so nothing exists before the program makes it"
        )

    def RegisterStackTransform(self, request: Any) -> NoReturn:  # noqa: ARG002, N802
        """Refuse what would not be run."""
        self._refuse("the program registers a stack transform, which a rehearsal does not run")

    RegisterStackInvokeTransform = RegisterStackTransform

    def RegisterResourceHook(self, request: resource_pb2.RegisterResourceHookRequest) -> empty_pb2.Empty:  # noqa: N802
        """Take up a hook."""
        try:
            self._hooks.register(request)
        except HookError as error:
            self._refuse(str(error))
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: Any) -> NoReturn:  # noqa: N802
        """Refuse what would not be run."""
        self._refuse(f"the program registers the error hook {request.name!r}, which a rehearsal does not run")

    # What stands behind them.

    def _refuse(self, message: str) -> NoReturn:
        failure = Refused(message)
        self.stop(failure)
        raise failure

    def _recorded(self, urn: str, request: resource_pb2.RegisterResourceRequest) -> Registered:
        inputs, secret = wire.plain(request.object)
        untyped: Any = request
        resource = Registered(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=request.custom,
            remote=request.remote,
            inputs=inputs,
            provider=_provider(request),
            dependencies=sorted(request.dependencies),
            property_dependencies={name: sorted(of.urns) for name, of in request.propertyDependencies.items()},
            secret_inputs=secret,
            protect=request.protect,
            aliases=[_alias(alias) for alias in untyped.aliases],
            ignore_changes=list(request.ignoreChanges),
        )
        with self._lock:
            if self.failure is not None:
                raise StoppedError(str(self.failure))
            if urn in self.graph:
                raise Refused(
                    f"{_of(resource)}: another resource has the URN {urn}; give one of them a name of its own"
                )
            self.graph[urn] = resource
        resource.before = self._hooks.of(untyped.hooks)
        if untyped.transforms:
            raise Refused(f"{_of(resource)} has transforms, which a rehearsal does not run")
        self._check(resource)
        return resource

    def _check(self, resource: Registered) -> None:
        """Do what the engine and the provider's Check do before anything is made; the inputs are completed here."""
        if resource.type.startswith(_PROVIDER) or not (resource.custom or resource.remote):
            return
        if not self._maker.knows(resource.type):
            raise Refused(f"{_of(resource)}: no stand-in for {resource.type}")
        if not resource.provider:
            raise Refused(
                f"{_of(resource)} is on the default provider: its account, region and tags are then nobody's choice. "
                "Give it a parent that has the stack's provider"
            )
        if problems := schema.problems(resource.type, resource.inputs):
            raise Refused(f"{_of(resource)}: " + "; ".join(problems))
        resource.inputs |= schema.documents(resource.type, resource.inputs)
        try:
            resource.inputs |= self._names.named(resource.type, resource.name, resource.urn, resource.inputs)
        except NameTooLongError as error:
            raise Refused(f"{_of(resource)}: {error}") from None
        if resource.custom and schema.taggable(resource.type):
            resource.inputs["tagsAll"] = self._merged_tags(resource)

    def _merged_tags(self, resource: Registered) -> Any:
        defaults = self.graph[resource.provider].inputs.get("defaultTags", {})
        if isinstance(defaults, str) and defaults != UNKNOWN:
            # A provider's settings travel as JSON within strings.
            defaults = json.loads(defaults)
        own = resource.inputs.get("tags", {})
        if UNKNOWN in (defaults, own):
            return UNKNOWN
        given = cast("Mapping[str, Any]", defaults).get("tags", {})
        return UNKNOWN if given == UNKNOWN else {**given, **own}

    def _make(self, resource: Registered) -> None:
        started = time.monotonic()
        if self.preview or not (resource.custom or resource.remote):
            # What is computed is not there, and so unknown: the id too.
            resource.outputs = dict(resource.inputs)
            return
        self._refuse_unknowns(resource)
        self._on_start(resource)
        try:
            answer = self._maker.make(resource)
        except Refused:
            raise
        except Exception as error:
            raise BrokenStandInError(resource, error) from error
        resource.id, resource.proof = answer.id, answer.proof
        # What the provider computes and the stand-in does not answer is unknown, and told of when somebody uses it.
        computed = schema.outputs_of(resource.type) - schema.inputs_of(resource.type).keys()
        resource.outputs = dict.fromkeys(computed, UNKNOWN) | resource.inputs | answer.outputs
        resource.seconds = time.monotonic() - started
        self._on_done(resource)

    def _refuse_unknowns(self, resource: Registered) -> None:
        """Refuse an input that nobody answered: it comes from an output that a stand-in lacks."""
        paths = wire.unknown_paths(resource.inputs)
        if not paths:
            return
        name = paths[0].split(".")[0].split("[")[0]
        sources = [_of(self.graph[urn]) for urn in resource.property_dependencies.get(name, []) if urn in self.graph]
        raise Refused(
            f"{_of(resource)}: its {paths[0]} is still unknown. It comes from "
            f"{' or '.join(sources) or 'a resource'}, whose stand-in does not answer one of its outputs"
        )


def _of(resource: Registered) -> str:
    return f"{resource.type} {resource.name!r}"


def _provider(request: resource_pb2.RegisterResourceRequest) -> str:
    """Return the URN of the provider; a remote component has several, of which the one of AWS counts."""
    reference = request.provider or request.providers.get("aws", "")
    return reference.rpartition("::")[0]


def _alias(alias: Any) -> str:
    """Write an alias as a URN where it is one, else as the parts that it changes."""
    if alias.urn:
        return alias.urn
    spec = alias.spec
    parts = (("name", spec.name), ("type", spec.type), ("parent", "none" if spec.noParent else spec.parentUrn))
    return ", ".join(f"{part}={value}" for part, value in parts if value)
