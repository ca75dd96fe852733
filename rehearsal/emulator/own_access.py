"""The emulator's own way to itself: what it does under a role of the account goes through its API, as from outside.

So IAM, resource policies, validation and the record of refusals are those of any caller. Not from the event loop, which
has to answer: from a thread of its own only.
"""

from __future__ import annotations

import functools
import os

from rehearsal.emulator.access import Access


@functools.cache
def access() -> Access:
    """Return the emulator as the account's root reaches it."""
    return Access(
        f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        account=os.environ["MINISTACK_ACCOUNT_ID"],
        region=os.environ["MINISTACK_REGION"],
        root={
            "AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"],
        },
    )
