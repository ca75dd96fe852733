"""The permissions boundaries that a stack's roles carry and that the bootstrap stack makes, made in the emulator first.

The document is the bootstrap program's own, from a preview of it: with another one, roles would be held here to what
nobody holds them to in the account.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pulumi.runtime import rpc

from rehearsal import program
from rehearsal.emulator import EmulatorError
from rehearsal.roles import ROLE
from rehearsal.stand_ins import Preview

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rehearsal.emulator import Emulator
    from rehearsal.graph import Registered

_POLICY: Final = "aws:iam/policy:Policy"
_FOLDER: Final = "bootstrap"
_AWSS_OWN: Final = "::aws:policy/"


class BoundaryError(EmulatorError):
    """A role carries a boundary that there would not be in the account either."""


def make(emulator: Emulator, planned: Sequence[Registered], project_dir: Path) -> None:
    """Make in *emulator* each boundary that a *planned* role carries and that its own program does not make.

    Raises:
        BoundaryError: the bootstrap stack of *project_dir* does not make it either, or cannot be previewed.

    """
    wanted = _carried(planned)
    if not wanted:
        return
    made = _of_bootstrap(project_dir)
    for arn, roles in sorted(wanted.items()):
        if arn not in made:
            raise BoundaryError(
                f"{arn} is the permissions boundary of {', '.join(sorted(roles))}, and no stack makes it: without it "
                f"AWS refuses iam:CreateRole; {_FOLDER}/ makes {', '.join(sorted(made)) or 'none'}"
            )
        inputs = made[arn].inputs
        emulator.client("iam").create_policy(
            PolicyName=inputs["name"], Path=inputs["path"], PolicyDocument=inputs["policy"]
        )


def _carried(planned: Sequence[Registered]) -> dict[str, set[str]]:
    """Return boundary → logical names of the roles that carry it, but for those of AWS's own and of the program's."""
    found: dict[str, set[str]] = {}
    for each in planned:
        arn = each.inputs.get("permissionsBoundary") if each.type == ROLE else None
        # What the program makes has no ARN yet.
        if arn and arn != rpc.UNKNOWN and _AWSS_OWN not in arn:
            found.setdefault(arn, set()).add(each.name)
    return found


def _of_bootstrap(project_dir: Path) -> dict[str, Registered]:
    """Return ARN → each managed policy that the bootstrap program makes, as far as a preview tells its document."""
    found: dict[str, Registered] = {}
    for file in sorted((project_dir / _FOLDER).glob("Pulumi.*.yaml")):
        stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        previewed = program.run(project_dir / _FOLDER, stack, preview=True, maker=Preview())
        if previewed.error:
            raise BoundaryError(f"{_FOLDER}/, stack {stack}, which makes boundaries: {previewed.error.message}")
        found |= dict(_policies(previewed.graph))
    return found


def _policies(graph: Sequence[Registered]) -> Iterator[tuple[str, Registered]]:
    providers = {each.urn: each for each in graph}
    for each in graph:
        if each.type == _POLICY and rpc.UNKNOWN not in (each.inputs.get("name"), each.inputs["policy"]):
            for account in _accounts(providers.get(each.provider)):
                yield f"arn:aws:iam::{account}:policy{each.inputs.get('path', '/')}{each.inputs['name']}", each


def _accounts(provider: Registered | None) -> list[str]:
    """Return the accounts that *provider* may be used with."""
    said = provider.inputs.get("allowedAccountIds", "[]") if provider else "[]"
    # A provider's settings travel as JSON within strings.
    return json.loads(said) if isinstance(said, str) else said
