"""Who may invoke a function: a service acts for every account unless its source is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from policies.reading import Absent, Known, Unknown
from policies.resources import known_text
from policies.rules.iam import accounts, trusts

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from policies.resources import Resource

_NAME_IT = "give the ARN of what invokes the function"


def judge(permission: Resource, own: AbstractSet[str]) -> str | None:
    """What is wrong with *permission*, if anything; *own* are the stack's accounts, where known."""
    source, account = permission.read("sourceArn"), permission.read("sourceAccount")
    match permission.read("principal"):
        case Known("*"):
            return "`principal` is *, so anybody may invoke the function; name the service and give `sourceArn`"
        case Known(str(who)) if trusts.is_service(who):
            if isinstance(source, Absent):
                # S3's bucket ARNs have no account, which is why the account alone is not asked for.
                held = "`sourceAccount` alone" if not isinstance(account, Absent) else "nothing"
                return f"`principal` is a service held by {held}; add `sourceArn`: {_NAME_IT}"
        case Known(str(who)) if foreign := _foreign(who, own):
            return f"`principal` {foreign}; name a role of this account"
        case _:
            pass
    if isinstance(account, Known) and accounts.other(account.value, own):
        return "`sourceAccount` is not an account of this stack's provider; give its own"
    return _loose(source.value, account, own) if isinstance(source, Known) else None


def _foreign(who: str, own: AbstractSet[str]) -> str | None:
    if re.fullmatch(r"\d{12}", who) or who.endswith(":root"):
        return "is a whole account"
    return "is of another account than the stack's" if accounts.other(accounts.of_arn(who), own) else None


def _loose(source: object, account: Known | Unknown | Absent, own: AbstractSet[str]) -> str | None:
    parts = str(source).split(":", 5)
    if len(parts) < 6 or any(mark in part for part in parts[:5] for mark in "*?"):  # noqa: PLR2004 - an ARN's six
        return f"`sourceArn` leaves service, region or account open; {_NAME_IT}"
    if accounts.other(parts[4], own):
        return f"`sourceArn` is of another account than the stack's; {_NAME_IT}"
    if not parts[4] and parts[5][:1] in ("*", "?") and known_text(account) is None:
        return f"`sourceArn` is everything of its kind in every account; {_NAME_IT}"
    return None
