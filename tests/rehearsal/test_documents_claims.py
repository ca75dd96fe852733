"""What the docs say of commands, keys, numbers and links is so."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, get_args

import botocore
import pytest
import yaml
from botocore import session
from pydantic import BaseModel

from components import guard_states
from components.file_system import AccessPoint
from rehearsal.script import Script
from settings import DiscoverySettings
from tests.rehearsal.copies import PROJECT
from tests.rehearsal.test_documents import snippet

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS: Final = sorted(
    str(each.relative_to(PROJECT)) for each in (PROJECT / "README.md", *PROJECT.glob("docs/*.md"))
)
_OF_THE_CLI: Final = {"query", "output", "region", "interactive"}
"""Options of the AWS CLI itself, or, the last, of a session in the terminal."""
_COMMANDS_OF_THE_CLI: Final = {("logs", "tail")}
"""What it makes of several calls, and no model knows."""
_PLAN: Final = guard_states.Plan(
    table="lock",
    cluster_arn="arn",
    definitions={},
    subnets=[],
    security_group_id="sg",
    capacity=[],
    task_group="guard",
    timeout=900,
    retries=0,
    skips=3,
)
"""parking-etl's guard: 900 seconds, as the message of a run that was too long says."""


def commands() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield service, operation and options of each command of the AWS CLI in the docs."""
    for document in DOCUMENTS:
        text = (PROJECT / document).read_text().replace("\\\n", " ")
        for service, operation, rest in re.findall(r"(?<=[`(\n ])aws ([a-z-]+) ([a-z-]+)([^\n|`]*)", text):
            if (service, operation) not in _COMMANDS_OF_THE_CLI:
                yield service, operation, frozenset(re.findall(r"(?<= )--([a-z-]+)", rest)) - _OF_THE_CLI


@pytest.mark.parametrize(("service", "operation", "options"), sorted(set(commands()), key=str))
def test_a_command_of_the_docs_is_one_that_aws_takes(service: str, operation: str, options: frozenset[str]) -> None:
    """Somebody types it at night, with a lock to break."""
    known: Any = session
    model = known.get_session().get_service_model(service)
    shape = model.operation_model({hyphenated(name): name for name in model.operation_names}[operation]).input_shape
    switches = {f"no-{hyphenated(name)}" for name, member in shape.members.items() if member.type_name == "boolean"}
    assert options <= {hyphenated(name) for name in shape.members} | switches
    # One without any is named, and not to be copied.
    assert not options or {hyphenated(name) for name in shape.required_members} - _OF_THE_CLI <= options


def hyphenated(name: str) -> str:
    """Return *name* as the AWS CLI spells it."""
    known: Any = botocore
    return known.xform_name(name, "-")


def test_the_lock_that_an_operator_breaks_is_the_guards() -> None:
    """Another key would break nothing, and say nothing of it."""
    text = (PROJECT / "docs/operations.md").read_text()
    taking: Any = guard_states.definition(_PLAN)["States"]["TakeLock"]["Arguments"]
    keys = re.findall(r"--table-name parking-database-lock --key '(.*?)'", text)
    assert [json.loads(key) for key in keys] == [taking["Key"]] * 2
    assert f"within {math.ceil(_PLAN.lease / 60)} minutes" in text


def test_every_key_of_a_script_is_explained() -> None:
    """What is not there is not found, or read out of the code."""
    text = (PROJECT / "docs/workloads.md").read_text()
    script = (PROJECT / "apps/query_service/rehearsal.yaml").read_text()
    explained = {word for quoted in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", quoted)}
    explained |= set(re.findall(r"(\w+):", text)) | set(re.findall(r"^# +(\w+)", script, re.MULTILINE))
    assert keys_of(Script) <= explained


def keys_of(model: type[BaseModel]) -> set[str]:
    """Return every key of *model*, at any depth."""
    found = {field.alias or name for name, field in model.model_fields.items()}
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            found |= {field.alias or name for name, field in inner.model_fields.items()}
            found |= keys_of(inner) if inner is not model else set()
    return found


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that *annotation* is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def test_the_exit_codes_are_the_ones_of_the_program() -> None:
    """An operator who finds 75 in an alert looks here first."""
    rows = re.compile(r"^\| (\d+) \| ([a-z-]+) \|", re.MULTILINE)
    said = rows.findall((PROJECT / "docs/workloads.md").read_text())
    assert said == rows.findall((PROJECT / "apps/parking_etl/service/exits.py").read_text())


@pytest.mark.parametrize("mark", ["ways: [cloud_map, nlb]", "ways: [lattice]"])
def test_a_way_of_the_docs_is_one_that_a_stack_file_may_say(mark: str) -> None:
    """A reader copies it."""
    said = yaml.safe_load(snippet("docs/discovery.md", "yaml", mark))["discovery"]
    DiscoverySettings.model_validate_json(json.dumps(said))


def test_the_pair_of_ways_that_the_docs_call_refused_is_refused_in_these_words() -> None:
    """And in no order but the one that is said."""
    text = (PROJECT / "docs/discovery.md").read_text()
    with pytest.raises(ValueError, match="ways") as refused:
        DiscoverySettings.model_validate_json(json.dumps({"ways": ["nlb", "cloud_map"]}))
    (words,) = re.findall(r"Value error, (.*) \[type", str(refused.value))
    assert f"discovery: {words}\n" in text


def test_what_a_backup_is_restored_to_can_be_an_access_point() -> None:
    """AWS Backup chooses the folder's name, and EFS takes few kinds of names."""
    code = snippet("docs/operations.md", "python", "aws-backup-restore_").partition("mounts =")[0]
    known: dict[str, Any] = {"AccessPoint": AccessPoint}
    exec(code, known)  # noqa: S102 - our own docs
    assert len(known["access_points"]) == 2


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    """To a file, and to a heading in it."""
    here = PROJECT / document
    for target in re.findall(r"\]\(([^)\s]+)\)", " ".join(here.read_text().split("\n"))):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        there = here.parent / file if file else here
        assert there.exists(), target
        assert not heading or heading in anchors(there.read_text()), target


def anchors(text: str) -> set[str]:
    """Return what the headings of a document are linked by."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_of_make_is_there(document: str) -> None:
    """The list that `make` prints is the only one."""
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", (PROJECT / document).read_text(), re.MULTILINE)) <= targets
