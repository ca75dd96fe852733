"""Reads Pulumi's configuration into `Settings`, or says everything that is wrong with it."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, Final, get_args

import pulumi
from pulumi.runtime import config as pulumi_config
from pydantic import BaseModel, Field, ValidationError, create_model

from settings.platform import Settings, Workloads
from settings.section import below, is_of_a_setting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from settings.workload import WorkloadSettings

_OURS: Final = "drydock:"
_THE_ENGINES: Final = "pulumi:"

# What pydantic calls a kind of error → what would do, its own context filled in.
_WANT: Final[Mapping[str, str]] = {
    "missing": "missing; it must be said",
    "bool_type": "got {input}; true or false",
    "int_type": "got {input}; a whole number",
    "float_type": "got {input}; a number",
    "string_type": "got {input}; text: put it in quotes",
    "string_too_short": "got {input}; {min_length} character(s) or more",
    "too_short": "got {input}; {min_length} or more of them",
    "tuple_type": "got {input}; a list",
    "dict_type": "got {input}; a section with keys of its own",
    "model_type": "got {input}; a section with keys of its own",
    "literal_error": "got {input}; one of {expected}",
    "kind_error": "got {input}; with a `kind` that is one of {expected}",
    "greater_than_equal": "got {input}; {ge} or more",
    "less_than_equal": "got {input}; {le} or less",
    "value_error": "{error}",  # our own checks, whose words name the value and what would do
}


class SettingsError(pulumi.RunError):
    """A stack file cannot be used: every error in it, one a line."""


def load(workloads: Mapping[str, type[WorkloadSettings]]) -> Settings:
    """Read the stack's settings; *workloads* says which there are, and of which class each one's section is.

    Raises:
        SettingsError: naming each wrong setting, its value, and what would do.

    """
    # Both places that the engine may leave them in; `pulumi.Config` reads one key of them at a time.
    said: dict[str, str] = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    encrypted = {key for key in said if pulumi_config.is_config_secret(key)}
    encrypted |= set(pulumi_config.get_config_secret_keys_env())
    problems = list(_misplaced(said, encrypted))
    said = {key: text for key, text in said.items() if key not in encrypted}
    model = _model(workloads)
    try:
        settings = model.model_validate_json(json.dumps(_document(said)))
    except ValidationError as error:
        problems += [_in_words(model, each) for each in error.errors(include_url=False)]
        raise _refused(problems) from None
    problems += [_OURS + problem for problem in settings.problems()]
    if problems:
        raise _refused(problems)
    return settings


def schema(workloads: Mapping[str, type[WorkloadSettings]]) -> dict[str, Any]:
    """Return the JSON schema of a whole stack file, for editors."""
    inner = _model(workloads).model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack file of drydock (Pulumi.<stack>.yaml)",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "required": [_OURS + key for key in inner["required"]],
                "properties": {_OURS + key: value for key, value in inner["properties"].items()},
                "patternProperties": {f"^{_THE_ENGINES}": True},
                "additionalProperties": False,
            }
        },
        "$defs": inner["$defs"],
    }


def _model(workloads: Mapping[str, type[WorkloadSettings]]) -> type[Settings]:
    """Return `Settings` with one optional section for each workload that there is."""
    sections: dict[str, Any] = {
        # Optional, and never null: an empty section is a slip that would take its workload out.
        name.replace("-", "_"): (section, Field(default=None, alias=name))
        for name, section in workloads.items()
    }
    chosen = create_model("Workloads", __base__=Workloads, **sections)
    return create_model("Settings", __base__=Settings, workloads=(chosen, Field(description=Workloads.__doc__)))


def _document(said: Mapping[str, str]) -> dict[str, object]:
    """Return this project's settings as JSON has them: the engine hands every value over as text."""
    return {
        key.removeprefix(_OURS): _value(key.removeprefix(_OURS), text)
        for key, text in said.items()
        if key.startswith(_OURS)
    }


def _value(key: str, text: str) -> object:
    field = Settings.model_fields.get(key)
    if field is None or field.annotation is str:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _misplaced(said: Mapping[str, str], encrypted: Collection[str]) -> Iterator[str]:
    """Yield what stands in the file and would not be read as it was meant."""
    for key in encrypted:
        if key.startswith(_OURS):
            # Nor may any other message quote it, so it is refused before it is looked into.
            yield f"{key}: is encrypted, and no setting here is a secret; name the secret's ARN, in plain text"
    instead = {"aws:region": "drydock:region", "aws:allowedAccountIds": "drydock:allowed_account_ids"}
    for key in said:
        if key.startswith("aws:"):
            yield f"{key}: has no effect here; " + (f"set {instead[key]}" if key in instead else "take it out")
        elif not key.startswith((_OURS, _THE_ENGINES)):
            close = difflib.get_close_matches(key, [_OURS + name for name in Settings.model_fields], n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"settings here begin with {_OURS!r}"
            yield f"{key}: nobody reads it; {hint}"


def _refused(problems: Sequence[str]) -> SettingsError:
    count = "1 setting" if len(problems) == 1 else f"{len(problems)} settings"
    return SettingsError("\n  ".join([f"{count} of this stack cannot be used:", *problems]))


def _in_words(model: type[BaseModel], error: ErrorDetails) -> str:
    """Say one of pydantic's errors in ours: the setting, its value, and what would do."""
    # Which of several kinds a section was taken for stands in parentheses there, and in no file.
    where = _OURS + ".".join(str(part) for part in error["loc"] if not str(part).startswith("("))
    if error["type"] == "extra_forbidden":
        *above, key = error["loc"]
        known = _keys_at(model, above)
        close = difflib.get_close_matches(str(key), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        return f"{where}: no such setting; {hint}"
    if error["type"] not in _WANT:
        return f"{where}: {error['msg']}"
    said = _WANT[error["type"]].format(**{"input": repr(error["input"]), **error.get("ctx", {})})
    # What a section as a whole has to say is often of one of its settings.
    return below(where, said) if is_of_a_setting(said) else f"{where}: {said}"


def _keys_at(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """Return the keys of the section that *path* leads to."""
    section, kinds = model, dict[str, type[BaseModel]]()
    for part in path:
        fields = {field.alias or name: field for name, field in section.model_fields.items()}
        if part in fields:
            there = [each for each in _classes_in(fields[str(part)].annotation) if issubclass(each, BaseModel)]
            section, kinds = there[0], {f"({_kind_of(each)})": each for each in there}
        section = kinds.get(str(part), section)
    return sorted(field.alias or name for name, field in section.model_fields.items())


def _kind_of(section: type[BaseModel]) -> object:
    """Return what `kind` of *section* must be, if it has one."""
    return (
        next(iter(get_args(section.model_fields["kind"].annotation)), None) if "kind" in section.model_fields else None
    )


def _classes_in(annotation: object) -> Iterator[type]:
    """Yield the classes that an annotation such as `Section | None` or `tuple[Section, ...]` is made of."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for part in get_args(annotation):
        yield from _classes_in(part)
