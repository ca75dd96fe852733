"""A PostgreSQL database of a workload, as its section says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.database import DatabaseArgs
from components.logs import Logs
from settings.section import Section
from settings.workload import RetentionDays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from components.adopted_network import AnyNetwork
    from settings.platform import Settings

_NOWHERE = AdoptedNetwork(
    vpc_id="vpc-00000000",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-00000000", "subnet-00000001"),
    data_subnet_ids=("subnet-00000002", "subnet-00000003"),
)


class DatabaseSettings(Section):
    """The machine, its disk, and what is kept of it. Whether it may be deleted is the stack's `protect`."""

    instance_class: str = "db.t4g.micro"
    """The machine. Default: the smallest on Graviton, with 2 vCPUs for bursts and 1 GiB."""
    engine_version: Literal["15", "16", "17", "18"] = "17"
    """PostgreSQL's major version, as text. A later one only with `major_upgrade`."""
    major_upgrade: bool = False
    """Whether a later major version may be deployed, which stops the database for minutes."""
    storage: int = 20
    """GiB, 20 to 65536. It can grow, and never shrinks."""
    storage_limit: int | None = 100
    """GiB up to which it grows by itself, over a tenth above `storage`. `null`: not at all."""
    multi_az: bool = True
    """Whether a second machine in another zone follows it and takes over. Twice the price."""
    backup_days: int = 7
    """Days for which it can be had back as it was at any second, 1 to 35."""
    own_key: bool = False
    """Whether a KMS key of its own encrypts it and its secrets. It is for ever."""
    log_retention_days: RetentionDays = 30
    """Days its logs are kept."""

    @model_validator(mode="after")
    def _as_the_component_takes_it(self) -> Self:
        self.args(Account(id="000000000000", region="us-east-1"), _NOWHERE, name="app", protect=True)
        return self

    def problems(self, stack: Settings) -> Iterator[str]:
        """Yield what it needs of the stack's network and does not find there: subnets of its own in two zones."""
        network = stack.network
        if network.adopt and len(network.adopt.data_subnet_ids) < 2:  # noqa: PLR2004 - RDS's fewest
            yield (
                "needs subnets in two zones; add `data_subnet_ids` to `network: {adopt: ...}`, private ones, one a zone"
            )
        if not network.adopt and len(network.zones) < 2:  # noqa: PLR2004 - RDS's fewest
            yield f"needs two zones; add one to `network: {{zones: [{', '.join(network.zones)}]}}`"

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
            final_snapshot=protect,
            own_key=self.own_key,
            logs=Logs(retention_days=self.log_retention_days),
        )
