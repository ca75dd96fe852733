"""A stack's settings, read as the Pulumi CLI reads them: `Pulumi.yaml`'s typed keys, and `Pulumi.<stack>.yaml`.

The rules (what is typed, what a default is, how a value becomes text) are those of `pkg/workspace/config.go` in
pulumi/pulumi.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import pulumi
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class StackFileError(pulumi.RunError):
    """A project or stack file that the CLI would refuse, or that a rehearsal cannot read."""


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """What a program is started with."""

    project: str
    """The project's name, which is also the namespace of its own keys."""
    stack: str
    config: dict[str, str]
    """Values as a program gets them: text, with JSON for lists and objects; keys as ``namespace:name``."""

    def only(self, workloads: Sequence[str]) -> StackFile:
        """Return it with these of its workloads; with all where none is named.

        Raises:
            StackFileError: it has no such workload.

        """
        key = f"{self.project}:workloads"
        try:
            said: Any = json.loads(self.config.get(key, "{}"))
        except ValueError:
            said = None
        if not workloads or not isinstance(said, dict):
            return self  # which whoever reads it refuses, if it is no mapping
        sections = cast("dict[str, Any]", said)
        if unknown := [each for each in workloads if each not in sections]:
            raise StackFileError(
                f"stack {self.stack!r} has no workload {', '.join(map(repr, unknown))}; it has "
                f"{', '.join(sections) or 'none'}"
            )
        kept = {name: section for name, section in sections.items() if name in workloads}
        return replace(self, config=self.config | {key: json.dumps(kept)})


def read(project_dir: Path, stack: str) -> StackFile:
    """Read the settings of *stack*, with the project's defaults under them.

    Raises:
        StackFileError: A file is missing or malformed, a value has the wrong type, or a value is encrypted.

    """
    project = _load(project_dir / "Pulumi.yaml")
    name = project.get("name")
    if not isinstance(name, str) or not name:
        raise StackFileError(f"{project_dir / 'Pulumi.yaml'} has no `name`: give the project one")
    path = _stack_path(project_dir, stack)
    content = _load(path)
    if content.get("environment"):
        raise StackFileError(
            f"{path.name} has an `environment`: a rehearsal cannot open Pulumi ESC environments, so the stack's "
            "settings must stand in the file"
        )
    said = _mapping(content, "config", path)
    given = {_namespaced(key, name): value for key, value in said.items()}
    twice = [key for key in said if _namespaced(key, name) != key and _namespaced(key, name) in said]
    if twice:
        told = ", ".join(f"{key!r} is {_namespaced(key, name)!r} too" for key in twice)
        raise StackFileError(f"{path.name}: {told}: a key without a namespace is the project's; keep one of the two")
    for key, value in given.items():
        _refuse_secure(key, value, path)

    typed = _mapping(project, "config", project_dir / "Pulumi.yaml")
    types = {_namespaced(key, name): _type_of(key, value, name) for key, value in typed.items()}
    missing = [key for key, kind in types.items() if key not in given and kind.get("default") is None]
    if missing:
        wrong = [key for key in given if key not in types]
        add = ", ".join(key + _meant(key, wrong) for key in missing)
        raise StackFileError(f"Stack {stack!r} is missing configuration: add {add} to {path.name}")
    values = {key: kind["default"] for key, kind in types.items() if kind.get("default") is not None} | given
    problems = [problem for key, kind in types.items() for problem in _problems(key, kind, values[key])]
    if problems:
        raise StackFileError("\n  ".join(f"{path.name}: {problem}" for problem in problems))
    return StackFile(project=name, stack=stack, config={key: _text(value) for key, value in values.items()})


def _stack_path(project_dir: Path, stack: str) -> Path:
    path = project_dir / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        there = sorted(found.name.split(".")[1] for found in project_dir.glob("Pulumi.*.yaml"))
        raise StackFileError(f"stack {stack!r}: there is no {path.name}; stacks here: {', '.join(there) or 'none'}")
    return path


class _RefusedError(yaml.YAMLError):
    """What the CLI's parser refuses and Python's takes; the message begins with the line."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


class _Loader(yaml.SafeLoader):
    """YAML as the CLI's parser reads it: `yes`, `on`, dates and sexagesimals are plain text, as in YAML 1.2.

    A key twice in one mapping is an error there, and so is a value that holds itself.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        begun: Any = cast("Any", self).peek_event()
        node: Any = super().compose_node(parent, index)
        # A mapping or list has its end only once all that it holds is read.
        if node.end_mark is None:
            raise _RefusedError(_line(begun), f"*{begun.anchor} is inside of &{begun.anchor}; nothing can hold itself")
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[str, int] = {}
        for key, _ in node.value:
            # One that is no text is refused later.
            line, name = _line(key), str(key.value)
            if name in first:
                raise _RefusedError(line, f"{name!r} stands in line {first[name]} already; keep one of the two")
            first[name] = line
        return node


def _line(at: yaml.Node | yaml.Event) -> int:
    return cast("Any", at).start_mark.line + 1


_SCALARS: Final = (
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
    ("float", re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)$"), "-+0123456789."),
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
)
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in _SCALARS:
    cast("Any", _Loader).add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, list(_first))


def _load(path: Path) -> dict[str, Any]:
    try:
        # A subclass of the safe loader, which makes plain values only.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except FileNotFoundError:
        raise StackFileError(f"there is no {path}") from None
    except _RefusedError as error:
        raise StackFileError(f"{path.name}, {error}") from None
    except yaml.YAMLError as error:
        raise StackFileError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise StackFileError(f"{path.name}: got {type(content).__name__} at the top; a mapping is wanted")
    return cast("dict[str, Any]", content)


def _mapping(content: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    value: Any = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise StackFileError(f"{path.name}: `{key}` is {value!r}; a mapping is wanted")
    return cast("dict[str, Any]", value)


def _namespaced(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _type_of(key: str, value: Any, project: str) -> dict[str, Any]:
    """Write out the short form of a key in `Pulumi.yaml`; a value that belongs to a provider is a default here."""
    definition = cast("dict[str, Any]", value) if isinstance(value, dict) else {"default": value}
    if _namespaced(key, project).startswith(f"{project}:"):
        return definition
    return {"default": definition.get("value", definition.get("default"))}


def _refuse_secure(key: str, value: Any, path: Path) -> None:
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value)
        if set(inner) == {"secure"}:
            raise StackFileError(
                f"{path.name}: {key} is encrypted (`secure:`), and a rehearsal has no passphrase or key to open it. "
                "Keep secrets in AWS Secrets Manager, and their names here"
            )
        for name, item in inner.items():
            _refuse_secure(f"{key}.{name}", item, path)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            _refuse_secure(f"{key}[{index}]", item, path)


def _meant(key: str, given: list[str]) -> str:
    # By their names alone: a namespace in common would make any two of them alike.
    names = {each.rpartition(":")[2]: each for each in given}
    close = difflib.get_close_matches(key.rpartition(":")[2], names, n=1)
    return f" (is {names[close[0]]!r} meant for it?)" if close else ""


def _problems(key: str, kind: dict[str, Any], value: Any) -> Iterator[str]:
    if kind.get("secret"):
        yield f"{key} is a secret in Pulumi.yaml: a rehearsal has no passphrase or key to open it"
        return
    wanted, items = kind.get("type"), kind.get("items")
    if wanted is None or _is_a(wanted, items, value, top=True):
        return
    if wanted != "array" or not isinstance(value, list) or not isinstance(items, dict):
        yield f"{key} is {json.dumps(value)}; it must be of type {wanted!r}"
        return
    of = cast("dict[str, Any]", items)
    for index, item in enumerate(cast("list[Any]", value)):
        if not _is_a(of["type"], of.get("items"), item):
            what = "text, so each must be in quotes" if of["type"] == "string" else repr(of["type"])
            yield f"{key}[{index}] is {json.dumps(item)}; {key} is an array of {what}"


def _is_a(wanted: str, items: Any, value: Any, *, top: bool = False) -> bool:
    # At the top every scalar is text to the CLI, so that `3` is a string there; inside of lists it is a number.
    if wanted == "string":
        return isinstance(value, str) or (top and isinstance(value, bool | int | float))
    if wanted == "integer":
        text = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+", value) is not None
        return text or (isinstance(value, int | float) and not isinstance(value, bool) and value == int(value))
    if wanted == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if wanted == "object":
        return isinstance(value, dict)
    if wanted == "array" and isinstance(value, list) and isinstance(items, dict):
        of = cast("dict[str, Any]", items)
        return all(_is_a(of["type"], of.get("items"), item) for item in cast("list[Any]", value))
    return False


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"))
