"""Hooks of resources: what a program has the engine call before one is made or changed.

They run in the program's process, which listens for the engine's call. Of those that the SDK knows, a rehearsal runs
these two; a hook that failed leaves its resource as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import grpc
import pulumi
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from rehearsal import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.graph import Registered

_RUN: Final = ("before_create", "before_update")
_NOT_RUN: Final = ("after_create", "after_update", "before_delete", "after_delete", "on_error")


class HookError(pulumi.RunError):
    """A hook failed, or is of a kind that a rehearsal does not run; the message is the user's to read."""


class Hooks:
    """The hooks of one run of a program."""

    def __init__(self) -> None:
        """None is registered yet."""
        self._registered: dict[str, Any] = {}

    def register(self, request: resource_pb2.RegisterResourceHookRequest) -> None:
        """Take up a hook.

        Raises:
            HookError: it is to run in previews or to fail without a word, or another one has its name.

        """
        if request.on_dry_run or request.ignore_errors:
            raise HookError(
                f"the hook {request.name!r} says on_dry_run or ignore_errors, which a rehearsal does not do"
            )
        if request.name in self._registered:
            raise HookError(f"two hooks are called {request.name!r}; give one of them a name of its own")
        self._registered[request.name] = cast("Any", request).callback

    def of(self, bound: Any) -> Callable[[Registered, Registered | None], None] | None:
        """Return what runs the hooks that are *bound* to a resource: given it, and what there was of it before.

        None where there are none.

        Raises:
            HookError: hooks among them that a rehearsal does not run.

        """
        for kind in _NOT_RUN:
            for name in getattr(bound, kind):
                raise HookError(f"the {kind} hook {name!r} is of a kind that a rehearsal does not run")
        before_create, before_update = ([*getattr(bound, kind)] for kind in _RUN)
        if not before_create and not before_update:
            return None

        def run(resource: Registered, before: Registered | None) -> None:
            for name in before_update if before else before_create:
                self._call(name, resource, before)

        return run

    def _call(self, name: str, resource: Registered, before: Registered | None) -> None:
        said: dict[str, Any] = {"new_inputs": wire.wired(resource.inputs, resource.secret_inputs)}
        if before:
            said["id"] = before.id
            said["old_inputs"] = wire.wired(before.inputs, before.secret_inputs)
            said["old_outputs"] = wire.wired(before.outputs, before.secret_inputs)
        request = resource_pb2.ResourceHookRequest(urn=resource.urn, name=resource.name, type=resource.type, **said)
        callback = self._registered[name]
        with grpc.insecure_channel(callback.target) as channel:
            asked = callback_pb2.CallbackInvokeRequest(token=callback.token, request=request.SerializeToString())
            stub: Any = callback_pb2_grpc.CallbacksStub(channel)
            answered = stub.Invoke(asked).response
        if error := resource_pb2.ResourceHookResponse.FromString(answered).error:
            raise HookError(error)
