"""The rehearsal's command, which also writes all that was deployed to a file: ``--json`` has no inputs.

``python -m tests.rehearsal.recorded FILE WORDS...``; the words are the command's.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from rehearsal import __main__ as command
from rehearsal import autoname, program

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST: Final = 8
"""Characters of what AWS or the provider makes up: an id, an ARN, a name with a suffix."""


def inventory(file: Path) -> dict[str, str]:
    """Return what *file* has of each resource, by its URN, and of the stack's outputs, as text that may be compared.

    What was made up on the way, as ids and suffixes are, is written as whose it is: what refers to another resource
    is still told from what refers to a third.
    """
    deployed = json.loads(file.read_text())
    made_up: dict[str, str] = {}
    for each in sorted(deployed["graph"], key=lambda each: each["urn"]):
        for what, text in _made_up(each):
            made_up.setdefault(text, f"<{each['urn']}: {what}>")
    longest_first = "|".join(re.escape(text) for text in sorted(made_up, key=len, reverse=True))

    def told(said: object) -> str:
        return re.sub(longest_first, lambda found: made_up[found[0]], json.dumps(said, sort_keys=True))

    found = {
        each["urn"]: told([_plain(each["inputs"]), *(each[key] for key in _COMPARED)]) for each in deployed["graph"]
    }
    return {**found, "outputs": told(deployed["outputs"])}


_COMPARED: Final = ("type", "name", "parent", "id", "protect", "ignore_changes", "proof")


def _plain(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return *inputs* with what is in them in another form: what is made up cannot be seen in that."""
    plain: dict[str, Any] = dict(inputs)
    if "userData" in plain:
        plain["userData"] = base64.b64decode(plain["userData"]).decode()
    if "triggers" in plain:
        plain["triggers"] = sorted(plain["triggers"])  # sums of ids, which nothing but their names is known of
    return plain


def _made_up(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what of *resource* no program said, by its property."""
    inputs, named = resource["inputs"], resource["named"]
    computed = {key: value for key, value in resource["outputs"].items() if key not in inputs}
    for what, text in {**computed, named: inputs.get(named), "id": resource["id"]}.items():
        # What is named as the program has it is no invention, wherever else it is read.
        if resource["custom"] and isinstance(text, str) and len(text) >= _SHORTEST and text != resource["name"]:
            yield what, text


def _recorded(result: program.Result) -> str:
    graph: list[dict[str, Any]] = []
    for each in result.graph:
        rule = autoname.rule_for(each.type) if each.custom else None
        graph.append({**dataclasses.asdict(each), "named": rule.name if rule else ""})
    return json.dumps({"graph": graph, "outputs": result.outputs}, default=str)


def _main() -> int:
    file, *words = sys.argv[1:]
    run = program.run

    def recorded(*args: Any, **said: Any) -> program.Result:
        result = run(*args, **said)
        if not result.preview:
            Path(file).write_text(_recorded(result))
        return result

    with mock.patch.object(program, "run", recorded):
        return command.main(words)


if __name__ == "__main__":
    sys.exit(_main())
