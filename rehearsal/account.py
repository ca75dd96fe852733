"""Which account and region a rehearsal is of: those that the program's own provider is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rehearsal.emulator import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehearsal.graph import Registered

_PROVIDER: Final = "pulumi:providers:aws"


def and_region(planned: Sequence[Registered]) -> tuple[str, str]:
    """Return the one account and region that the program's provider is for.

    Raises:
        EmulatorError: it has no provider, or one for more.

    """
    for provider in planned:
        if provider.type == _PROVIDER:
            accounts = provider.inputs.get("allowedAccountIds", "[]")
            # A provider's settings travel as JSON within strings.
            accounts = json.loads(accounts) if isinstance(accounts, str) else accounts
            region = str(provider.inputs.get("region", ""))
            if len(accounts) != 1 or not region:
                raise EmulatorError(
                    f"provider {provider.name!r} has the accounts {accounts} and the region {region!r}: a rehearsal "
                    "needs one of each, in allowed_account_ids and region"
                )
            return str(accounts[0]), region
    raise EmulatorError("the program has no AWS provider, so nobody says which account and region it is for")
