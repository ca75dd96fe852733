"""The corrections of what events and schedules start: each target is asked whether it admits the service."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import contextvars
import importlib
import json
import logging
import re
from typing import Any, Final, cast

from rehearsal.emulator import denials
from rehearsal.emulator.own_access import access
from rehearsal.emulator.permissions import key_of
from rehearsal.firing import FiringError, fire

iam_evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
responses: Any = importlib.import_module("ministack.core.responses")
eventbridge: Any = importlib.import_module("ministack.services.eventbridge")
scheduler: Any = importlib.import_module("ministack.services.scheduler")

_EVENTS: Final = "events.amazonaws.com"
_DELIVERS: Final = {"sns": "sns:Publish", "sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}
"""Service of a target that is asked by its own policy → the action."""
_SWEEP: Final = 1
"""Seconds between two looks for due schedules; the emulator's 10 make a test of one wait as long."""

_STEP: Final = re.compile(r"\.([\w-]+)|\[(\d+|\*)\]")
"""A step of a path: into an object, or into a list."""

_in_lists: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("in_lists", default={})  # noqa: B039 - is only read
"""What the transformer in hand reads out of lists."""
_log = logging.getLogger("drydock.schedules")


class _NoJsonError(ValueError):
    """An input transformer made something that is no JSON."""


def ask_targets_of_events() -> None:
    """Deliver an event to a topic, a queue or a function only where its policy, and a topic's key, admit EventBridge.

    The emulator delivers to each. EventBridge tells SNS, SQS and Lambda which rule it comes from, and KMS nothing.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    invoke = eventbridge._invoke_target

    def invoked(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        arn = str(target.get("Arn", ""))
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        wanted = [(_DELIVERS[service], arn, rule["Arn"])] if service in _DELIVERS else []
        if service == "sns" and (key := key_of(arn)):
            wanted += [("kms:GenerateDataKey", key, ""), ("kms:Decrypt", key, "")]
        refused = [each for each in wanted if not _admitted(*each)]  # each is asked, so that each refusal is recorded
        if refused:
            return
        try:
            invoke(target, event, rule, view)
        except _NoJsonError as error:
            denials.record(_EVENTS, _DELIVERS.get(service, "events:PutEvents"), arn, f"{rule['Arn']}: {error}")

    eventbridge._invoke_target = invoked


def _admitted(action: str, resource: str, source: str) -> bool:
    """Whether the policy of *resource* lets EventBridge do *action* for *source*; a refusal is recorded."""
    account, region = responses.get_account_id(), responses.get_region()
    supplied = {"aws:sourcearn": source, "aws:sourceaccount": account} if source else {}
    ctx = iam_evaluator.EvalContext(
        _EVENTS, "Service", account, action, resource, region, secure_transport=True, service_context=supplied
    )  # fmt: skip
    policy = (iam_evaluator._resource_policy(action.partition(":")[0], resource) or (None,))[0]
    if iam_evaluator.evaluate_resource_policy(policy, ctx, service=_EVENTS).decision == "Allow":
        return True
    denials.record(_EVENTS, action, resource, f"resource policy, for {source or 'no source that it tells'}")
    return False


def read_lists_in_events() -> None:
    """Let an input transformer read into lists, by ``[0]`` and ``[*]``, and refuse what it makes if that is no JSON.

    The emulator reads nothing in lists, escapes a string outside of quotes, and delivers broken JSON. EventBridge does
    not escape values that it takes out of an event, and delivers JSON without spaces.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    apply, render = eventbridge._apply_input_transformer, eventbridge._render_input_template
    place = eventbridge._render_placeholder

    def applied(transformer: dict[str, Any], rule: dict[str, Any], view: Any) -> str:
        paths: dict[str, str] = transformer.get("InputPathsMap", {})
        event = view.event_with_detail()
        _in_lists.set({name: _read(path, event) for name, path in paths.items() if "[" in path})
        text: str = apply(transformer, rule, view)
        try:
            made = json.loads(text)
        except ValueError as error:
            message = f"the transformed input is no JSON ({error}), so that EventBridge delivers nothing: {text[:300]}"
            raise _NoJsonError(message) from error
        return json.dumps(made, separators=(",", ":"), ensure_ascii=False)

    def rendered(template: str, values: dict[str, Any]) -> str:
        return render(template, values | _in_lists.get())

    def placed(name: str, token: str, values: dict[str, Any], in_string: bool) -> str:  # noqa: FBT001 - as it is called
        value = values.get(name)
        return f'"{value}"' if isinstance(value, str) and not in_string else place(name, token, values, in_string)

    eventbridge._apply_input_transformer = applied
    eventbridge._render_input_template = rendered
    eventbridge._render_placeholder = placed


def _read(path: str, event: Any) -> Any:
    """Return what is at *path*, such as ``$.detail.containers[*].name``; behind a ``*``, of each that has it."""
    found: list[Any] = [event]
    for name, index in _STEP.findall(path):
        if index == "*":
            found = [each for one in found if isinstance(one, list) for each in cast("list[Any]", one)]
        elif index:
            found = [one[int(index)] for one in found if isinstance(one, list) and int(index) < len(cast("Any", one))]
        else:
            found = [one[name] for one in found if isinstance(one, dict) and name in one]
    if "*" in path:
        return found
    return found[0] if found else ""


def miss_a_field_in_no_element() -> None:
    """Let ``exists: false`` below a list hold only if no element has the field.

    The emulator asks each element alone, so that one without it is enough; EventBridge's rules know an event by its
    paths, and a path that any element has is there. https://github.com/aws/event-ruler#exists-matching
    """
    matches = eventbridge._matches_detail

    def matched(detail: Any, pattern: Any) -> bool:
        if isinstance(detail, dict) and isinstance(pattern, dict):
            found, wanted = cast("dict[str, Any]", detail), cast("dict[str, Any]", pattern)
            lists = {
                name: _answered(cast("dict[str, Any]", each), found[name])
                for name, each in wanted.items()
                if isinstance(each, dict) and isinstance(found.get(name), list)
            }
            return matches(detail, wanted | lists)
        return matches(detail, pattern)

    eventbridge._matches_detail = matched


def _answered(pattern: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """Return *pattern* without each ``exists: false`` that an element of *values* says no to."""
    elements: list[dict[str, Any]] = eventbridge._flatten(values, True)  # noqa: FBT003 - its own signature
    answered: dict[str, Any] = {}
    for name, wanted in pattern.items():
        found = [each[name] for each in elements if name in each]
        if isinstance(wanted, dict):
            answered[name] = _answered(cast("dict[str, Any]", wanted), found)
        elif isinstance(wanted, list) and eventbridge._flatten(found, False):  # noqa: FBT003 - its own signature
            answered[name] = [each for each in cast("list[Any]", wanted) if each != {"exists": False}]
        else:
            answered[name] = wanted
    return answered


def fire_under_the_role() -> None:
    """Fire a schedule under its target's role, ECS targets too, and send what is refused to its dead-letter queue.

    The emulator starts a target as itself, whatever the role, and knows no ECS targets and no queue.
    """
    invoke = eventbridge._invoke_target

    def invoked(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        if event.get("Source") != "aws.scheduler":
            invoke(target, event, rule, view)
            return
        try:
            _log.info("schedule %s started %s", rule["Name"], fire(access(), rule))
        except FiringError as error:
            _log.warning("schedule %s: %s", rule["Name"], error)

    eventbridge._invoke_target = invoked
    scheduler._SCHEDULE_TICK_INTERVAL = _SWEEP
