"""Does what an AWS CLI command would do, so that the command that operators are given is the one that is rehearsed."""

from __future__ import annotations

import importlib
import json
import shlex
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from rehearsal.emulator.access import Access

_GLOBAL: Final = ("region", "output", "query", "profile", "no-cli-pager")
"""Options of every command, which change nothing of what it does here."""
_WHOLE: Final = "cli-input-json"
"""The option that holds all members at once; others beside it count for more."""
_COMPOSED: Final = ("structure", "map", "list")


class TypedError(Exception):
    """A command that AWS's CLI would not take, or that cannot be followed here."""


def do(aws: Access, command: str) -> dict[str, Any]:
    """Do what *command* does, such as ``aws ecs run-task --cluster shop``, as the account's root; return the answer.

    Structures are written as JSON, lists of plain values as words too.

    Raises:
        TypedError: no such service, operation or option, another region than the rehearsal's, or a value that is none.
        botocore.exceptions.BotoCoreError: the service's model refuses the values.
        botocore.exceptions.ClientError: the service does.

    """
    words = shlex.split(command)
    if len(words) < 3 or words[0] != "aws":  # noqa: PLR2004 - aws, service, operation
        raise TypedError(f"{command!r} is no command of AWS's CLI: write 'aws <service> <operation> --option value'")
    xform: Any = importlib.import_module("botocore").xform_name
    try:
        client = aws.client(words[1])
    except Exception as error:
        raise TypedError(f"{command!r}: {error}") from error
    model = client.meta.service_model
    operation = {xform(name, "-"): name for name in model.operation_names}.get(words[2])
    if operation is None:
        raise TypedError(f"{command!r}: {words[1]} has no {words[2]}")
    members: dict[str, Any] = dict(model.operation_model(operation).input_shape.members)
    options = {xform(name, "-"): name for name in members}
    given: dict[str, Any] = {}
    for option, values in _options(words[3:], command):
        if option == "region" and values != [aws.region]:
            raise TypedError(f"{command!r}: its region is {' '.join(values)!r}, and the rehearsal's {aws.region}")
        if option in _GLOBAL:
            continue
        if option == _WHOLE:
            given = _object(values, command) | given
            continue
        if option not in options:
            raise TypedError(f"{command!r}: aws {words[1]} {words[2]} has no --{option}")
        given[options[option]] = _value(members[options[option]], values, f"--{option}", command)
    return cast("dict[str, Any]", getattr(client, xform(operation))(**given))


def _options(words: list[str], command: str) -> list[tuple[str, list[str]]]:
    """Return each option with the words behind it."""
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found.append((name, [value] if equals else []))
        elif found:
            found[-1][1].append(word)
        else:
            raise TypedError(f"{command!r}: {word!r} belongs to no option")
    return found


def _object(words: list[str], command: str) -> dict[str, Any]:
    try:
        (text,) = words
        return dict(json.loads(text))
    except (TypeError, ValueError) as error:
        raise TypedError(f"{command!r}: --{_WHOLE} takes one object of JSON: {error}") from error


def _value(shape: Any, words: list[str], option: str, command: str) -> Any:
    kind = shape.type_name
    if kind == "boolean":
        return words in ([], ["true"])
    if kind == "list" and shape.member.type_name not in _COMPOSED and words and not words[0].startswith("["):
        return words
    if len(words) != 1:
        raise TypedError(f"{command!r}: {option} has {len(words)} values, and takes one")
    try:
        if kind in _COMPOSED:
            return json.loads(words[0])
        return {"integer": int, "long": int, "float": float, "double": float}.get(kind, str)(words[0])
    except ValueError as error:
        raise TypedError(f"{command!r}: {option} is {words[0]!r}, which is no {kind} as JSON: {error}") from error
