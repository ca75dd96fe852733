"""Which accounts are the stack's own: those its AWS provider allows itself (`allowedAccountIds`), where it says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from policies.reading import Tree, listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from policies.resources import Resource

PROVIDER: Final = "pulumi:providers:aws"
_ID = re.compile(r"\d{12}")


def own(resource: Resource, seen: Mapping[str, Resource]) -> frozenset[str]:
    """The accounts *resource* may be in; none where it is not known. A component's are those of all AWS providers."""
    providers = [resource.provider] if resource.provider else [it.inputs for it in seen.values() if it.type == PROVIDER]
    allowed = [_allowed(it.get("allowedAccountIds")) for it in providers]
    return frozenset[str]().union(*allowed) if all(allowed) else frozenset()


def _allowed(raw: Tree) -> frozenset[str]:
    """A provider has its lists as JSON text."""
    if isinstance(raw, str):
        try:
            raw = cast("Tree", json.loads(raw))
        except ValueError:
            return frozenset()
    ids = [it for it in listed(raw) if isinstance(it, str)]
    return frozenset(ids) if len(ids) == len(listed(raw)) else frozenset()


def of_arn(arn: Tree) -> str:
    """The account of an ARN, empty where it has none."""
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[4] if len(parts) > 5 else ""  # noqa: PLR2004 - arn:partition:service:region:account:resource


def other(account: Tree, own: AbstractSet[str]) -> bool:
    """Whether *account* is certainly none of *own*."""
    return bool(own) and isinstance(account, str) and bool(_ID.fullmatch(account)) and account not in own
