"""AWS's managed policies: those whose content is known are judged by it, as if it were written in the stack."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from policies.rules.iam.documents import Document, parse
from policies.rules.iam.statements import Fault, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policies.reading import Tree

AWS_MANAGED: Final = re.compile(r"arn:[\w-]+:iam::aws:policy/(?:.*/)?(?P<name>[^/]+)")
# Made for people: whatever they hold, they hold too much for a workload.
_BROAD: Final = re.compile(
    r"AdministratorAccess.*|PowerUserAccess|.*FullAccess(_?[vV]\d+)?|SystemAdministrator|ReadOnlyAccess"
)


@cache
def _known() -> Mapping[str, Document]:
    """Read the table beside this file: policies that container workloads are often given, as AWS has them."""
    text = Path(__file__).with_name("managed_policies.json").read_text(encoding="utf-8")
    table = cast("dict[str, Tree]", json.loads(text))
    return {_key(arn): document for arn, raw in table.items() if (document := parse(raw))}


def _key(arn: str) -> str:
    return arn.split("::", 1)[-1]  # the same in every partition


def document(arn: str) -> Document | None:
    """What the policy *arn* allows, if known."""
    return _known().get(_key(arn))


def judge_attachment(arn: str, services: Sequence[str]) -> Fault | None:
    """What is wrong with attaching the AWS managed policy *arn*, if anything."""
    match = AWS_MANAGED.fullmatch(arn)
    name = match["name"] if match else arn
    fix = "write an inline policy of the actions and ARNs needed instead"
    if _BROAD.fullmatch(name):
        return Fault(rule="managed-policy", statement=None, action=name, reason="it is made for people", fix=fix)
    content = document(arn)
    if content is None:
        return Fault(
            rule="managed-policy",
            statement=None,
            action=name,
            reason="what it allows is not in the table of known policies, so it is not proved",
            fix=fix,
            unproved=True,
        )
    faults = judge(content, services)
    if not faults:
        return None
    reason = f"{faults[0].action}: {faults[0].reason}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")
    return Fault(rule="managed-policy", statement=None, action=name, reason=reason, fix=fix)
