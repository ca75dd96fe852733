"""The correction of rules that start state machines: EventBridge does so under the target's role."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import contextvars
import importlib
from typing import Any, Final

from rehearsal.emulator.own_access import access

concurrency: Any = importlib.import_module("ministack.core.concurrency")
eventbridge: Any = importlib.import_module("ministack.services.eventbridge")

_EVENTS: Final = "events.amazonaws.com"

_in_hand: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("in_hand")
"""The role of the target that is told, and the ARN of its rule."""


def start_under_the_targets_role() -> None:
    """Start a rule's state machine under its target's role, which must trust EventBridge for that rule.

    The emulator starts it as itself, whatever the role.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
    """
    invoke = eventbridge._invoke_target

    def invoked(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        _in_hand.set((target.get("RoleArn", ""), rule.get("Arn", "")))
        invoke(target, event, rule, view)

    def dispatched(machine: str, payload: str) -> None:
        # In a thread, since it asks the emulator, which is telling of the event now.
        concurrency.spawn_background(_start, machine, payload, *_in_hand.get(), thread_name="rule's target")

    eventbridge._invoke_target = invoked
    eventbridge._dispatch_to_stepfunctions = dispatched


def _start(machine: str, payload: str, role: str, rule: str) -> None:
    """Start *machine*; that the role is refused is on the emulator's record, and an error in its log."""
    own = access().assume(role, service=_EVENTS, source=rule, session="events")
    access().client_as("stepfunctions", own).start_execution(stateMachineArn=machine, input=payload)
