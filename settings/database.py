"""A PostgreSQL database of a workload, as its section says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from components.database import CLASS, DatabaseArgs
from components.logs import Logs
from settings.section import Section, Text
from settings.workload import RetentionDays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from components.account import Account
    from components.adopted_network import AnyNetwork
    from settings.platform import Settings

InstanceClass = Annotated[str, Text(CLASS, "a class such as 'db.t4g.micro' or 'db.m7g.large'")]

_BYTES_A_CONNECTION: Final = 9_531_392
"""Of a machine's memory: RDS's own limit is that part of it, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html"""
_KEPT_BACK: Final = 10
"""Connections that are nobody's but RDS's and the migration's."""
_GIB: Final = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
"""Memory of the classes with bursts, db.t3 and db.t4g."""


class DatabaseSettings(Section):
    """The machine, its disk, and what is kept of it. Whether it may be deleted is the stack's `protect`."""

    instance_class: InstanceClass = "db.t4g.micro"
    """The machine. Default: the smallest on Graviton, with 2 vCPUs for bursts and 1 GiB."""
    engine_version: Literal["15", "16", "17", "18"] = "17"
    """PostgreSQL's major version, as text. A later one only with `major_upgrade`."""
    major_upgrade: bool = False
    """Whether a later major version may be deployed, which stops the database for minutes."""
    storage: Annotated[int, Field(ge=20, le=65_536)] = 20
    """GiB, 20 to 65536. It can grow, and never shrinks."""
    storage_limit: Annotated[int, Field(le=65_536)] | None = 100
    """GiB up to which it grows by itself, a tenth over `storage` or more. `null`: not at all."""
    multi_az: bool = True
    """Whether a second machine in another zone follows it and takes over. Twice the price."""
    backup_days: Annotated[int, Field(ge=1, le=35)] = 7
    """Days for which it can be had back as it was at any second, 1 to 35."""
    final_snapshot: bool = True
    """Whether a snapshot is taken when it is deleted, and kept, with the automated backups and a key of its own."""
    at_once: bool = False
    """Whether a change that stops the database is made when it is deployed. Default: in its maintenance window, but for
    a major upgrade."""
    own_key: bool = False
    """Whether a KMS key of its own encrypts it and its secrets. It is for ever."""
    log_retention_days: RetentionDays = 30
    """Days its logs are kept."""

    @model_validator(mode="after")
    def _has_room_to_grow(self) -> Self:
        least = -(-self.storage * 11 // 10)
        if self.storage_limit is not None and self.storage_limit < least:
            raise ValueError(
                f"storage_limit: got {self.storage_limit}; {least} or more, a tenth over the {self.storage} GiB of "
                "`storage`, or null"
            )
        return self

    def problems(self, stack: Settings) -> Iterator[str]:
        """Yield what it needs of the stack's network and does not find there: subnets of its own in two zones."""
        adopted = stack.network.adopt
        if adopted and len(adopted.data_subnet_ids) < 2:  # noqa: PLR2004 - RDS's fewest
            yield (
                "needs subnets in two zones; add `data_subnet_ids` to `network: {adopt: ...}`, private ones, one a zone"
            )

    def most_connections(self) -> int | None:
        """Return how many connections its machine has for those who use it; None where its memory is not known here."""
        family, size = self.instance_class.split(".")[1:]
        gib = _GIB.get(size) if family in ("t3", "t4g") else None
        return gib and gib * 1024**3 // _BYTES_A_CONNECTION - _KEPT_BACK

    def args(
        self, account: Account, network: AnyNetwork, *, name: str, users: Sequence[str] = (), protect: bool
    ) -> DatabaseArgs:
        """Return what a database takes, whose one database is called *name*."""
        return DatabaseArgs(
            account=account,
            network=network,
            database_name=name,
            users=users,
            engine_version=self.engine_version,
            major_upgrade=self.major_upgrade,
            instance_class=self.instance_class,
            storage=self.storage,
            storage_limit=self.storage_limit,
            multi_az=self.multi_az,
            backup_days=self.backup_days,
            deletion_protection=protect,
            final_snapshot=self.final_snapshot,
            at_once=self.at_once,
            own_key=self.own_key,
            logs=Logs(retention_days=self.log_retention_days),
        )
