"""Makes the calls that a workload's script has forbidden, under its tasks' roles, and sees IAM refuse them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import botocore
from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.containers import execution
from rehearsal.requests import output_of
from rehearsal.result import Refused
from rehearsal.services import SERVICE, TASK_DEFINITION

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.emulator import Emulator
    from rehearsal.graph import Registered
    from rehearsal.script import Script
    from rehearsal.script_forbidden import Forbidden
    from rehearsal.tree import Tree

_OUTPUT: Final = re.compile(r"\{(\w+)\}")


# botocore has no types.
_method: Final = cast("Callable[[str], str]", cast("Any", botocore).xform_name)


class ForbiddenError(Exception):
    """A script names a service, an output or an action that there is not."""


def check(tree: Tree, workload: str, script: Script) -> None:
    """Hold what *script* names against what there is, before anything is made.

    Raises:
        EntranceError: an output that the workload does not have.
        ForbiddenError: a service that it does not have.

    """
    for said in script.forbidden:
        for name in (said.service, said.allowed_to):
            _service(tree, workload, name)
        _filled(workload, tree.workloads[workload], said.parameters)


def prove(tree: Tree, workload: str, said: Forbidden, emulator: Emulator) -> Refused:
    """Make the call as both, and return what came of it. The refusal that was wanted is no lack of the role's.

    Raises:
        ForbiddenError: the action is none of boto3's.

    """
    before = len(emulator.denials())
    refused = _asked(tree, workload, said, said.service, emulator)
    wanted = [each for each in emulator.denials()[before:] if each.action == said.call]
    allowed = _asked(tree, workload, said, said.allowed_to, emulator)
    problems: list[str] = []
    if not wanted:
        problems.append(f"expected IAM to refuse it to {said.service!r}: {refused or 'it was answered'}")
    if allowed:
        problems.append(f"expected an answer for {said.allowed_to!r}: {allowed}")
    emulator.want(wanted)
    return Refused(workload=workload, name=said.name, service=said.service, call=said.call, problems=tuple(problems))


def _asked(tree: Tree, workload: str, said: Forbidden, service: str, emulator: Emulator) -> str:
    """Make the call as a task of *service*; return why it failed, empty if it did not."""
    task = f"{emulator.account}:task/{secrets.token_hex(16)}"
    role = _task_role(tree, _service(tree, workload, service))
    own = execution.credentials(emulator, role, f"arn:aws:ecs:{emulator.region}:{task}")
    client_name, _, operation = said.call.partition(":")
    parameters = _filled(workload, tree.workloads[workload], said.parameters)
    try:
        getattr(emulator.client_as(client_name, own), _method(operation))(**parameters)
    except (ClientError, BotoCoreError) as error:
        return str(error)
    except AttributeError:
        raise ForbiddenError(f"{workload}: {said.name!r} calls {said.call!r}, which boto3 does not know") from None
    return ""


def _service(tree: Tree, workload: str, name: str) -> Registered:
    own = {each.name: each for each in tree.own(workload, SERVICE)}
    if name not in own:
        raise ForbiddenError(f"{workload}: `forbidden` names the service {name!r}; it has {', '.join(own) or 'none'}")
    return own[name]


def _task_role(tree: Tree, service: Registered) -> str:
    definitions = {each.outputs["arn"]: each for each in tree.of(TASK_DEFINITION)}
    return str(definitions[service.inputs["taskDefinition"]].inputs["taskRoleArn"])


def _filled(workload: str, outputs: Mapping[str, Any], value: Any) -> Any:
    match value:
        case str():
            return _OUTPUT.sub(lambda found: output_of(workload, outputs, found[1]), value)
        case Mapping():
            said = cast("Mapping[str, Any]", value)
            return {name: _filled(workload, outputs, each) for name, each in said.items()}
        case list():
            return [_filled(workload, outputs, each) for each in cast("list[Any]", value)]
        case _:
            return value
