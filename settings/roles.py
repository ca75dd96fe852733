"""What a stack says of the roles that it makes: what bounds them. Where they are follows from the stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from components.roles import RoleBounds
from settings.section import Section, Text

if TYPE_CHECKING:
    from components.account import Account


_PATH_AND_NAME: Final = Text(
    r"(?!arn:)([!-.0-~]{1,255}/)*[A-Za-z0-9_+=,.@-]{1,128}",
    "a policy's path and name, without its account and the first slash, such as 'pipeline/boundary-prod'",
)


class RoleSettings(Section):
    """Of every role that the stack makes, whichever workload's it is. All are in the path `/drydock/<stage>/`."""

    boundary: Annotated[str, _PATH_AND_NAME] | None = None
    """Path and name of the policy of the stack's account that each role carries as its permissions boundary, such as
    `pipeline/boundary-prod`, which the bootstrap stack makes. Default: none."""

    def value(self, account: Account, stage: str) -> RoleBounds:
        """Return them as the components take them, of the *stage* of a stack in *account*."""
        policies = f"arn:{account.partition}:iam::{account.id}:policy/"
        return RoleBounds(
            path=f"/drydock/{stage}/", boundary=f"{policies}{self.boundary}" if self.boundary is not None else None
        )
