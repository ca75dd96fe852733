"""A PostgreSQL database on RDS: who reaches it, who may be its users, and what is kept of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components import key, naming, password, security_group
from components.base import Component, declared
from components.errors import InvalidArgsError, of, one_of, within
from components.logs import Logs
from components.secret import SecretReference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Resource

    from components.account import Account
    from components.adopted_network import AnyNetwork

PORT: Final = 5432

# https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
VERSIONS: Final = ("18", "17", "16", "15")
_LOGS: Final = ("postgresql", "upgrade")
"""https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.html"""
CLASS: Final = r"db\.[a-z][a-z0-9]*[0-9][a-z]*\.(micro|small|medium|large|[0-9]{0,2}xlarge)"
"""What classes are called; which of them a region has, RDS alone knows.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Types.html"""
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_MASTER: Final = "master"
# RDS's own, and PostgreSQL's.
_TAKEN: Final = re.compile(r"master|public|postgres|rds.*|pg_.*")
_FREE_DAYS: Final = 7  # of Database Insights in its standard mode


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """What a `Database` takes.

    Bounds: the text of `CreateDBInstance` in botocore's `rds` model.

    Raises:
        InvalidArgsError: a network without data subnets in two zones, a version or a class that is none, a name that
            PostgreSQL or RDS keeps for itself, sizes or days out of bounds, or two keys at once.

    """

    account: Account
    """Where it is: a key of its own is administered by this account."""
    network: AnyNetwork
    """Whose data subnets it stands in, in two zones or more: private ones, never with a public address."""
    database_name: str
    """Of the one database that RDS makes: lower-case letters, digits and underscores, 63 at most. It is for ever."""
    users: Sequence[str] = ()
    """Users beside the master, each with a secret of its own: named as the database is. The users themselves, with what
    each may do, are for a migration to make, which is the master's: RDS makes none. Default: none."""
    engine_version: str = "17"
    """PostgreSQL's major version, one of `VERSIONS`; a later one only with *major_upgrade*. The minor one is RDS's to
    choose, and to raise in the maintenance window: one that is named here would be gone back to, which RDS refuses."""
    major_upgrade: bool = False
    """Whether a later major version may be deployed, which stops the database for minutes. Default: no."""
    instance_class: str = "db.t4g.micro"
    """The machine. Default: the smallest on Graviton, with 2 vCPUs for bursts and 1 GiB."""
    storage: int = 20
    """GiB of gp3, 20 to 65536. It can grow, and never shrinks."""
    storage_limit: int | None = 100
    """GiB up to which it grows by itself when it is nearly full, over a tenth above *storage*. None: not at all."""
    multi_az: bool = True
    """Whether a second machine in another zone follows it, and takes over within a minute or two. Twice the price."""
    backup_days: int = 7
    """Days for which it can be had back as it was at any second, 1 to 35."""
    deletion_protection: bool = True
    """Whether RDS refuses to delete it, and Pulumi to delete or replace it, until this is turned off."""
    final_snapshot: bool = True
    """Whether a snapshot is taken when it is deleted all the same; it, the automated backups and a key of its own are
    then kept."""
    at_once: bool = False
    """Whether a change that stops the database is made when it is deployed. Default: in its maintenance window, but for
    a major upgrade."""
    logs: Logs = field(default_factory=Logs)
    """How long its logs are kept in CloudWatch; the rest of `Logs` is for containers."""
    own_key: bool = False
    """Whether a KMS key of its own encrypts it and its secrets, for a dollar a month: one whose use can be ended. It is
    for ever. Default: no, AWS's own for RDS and for Secrets Manager do."""
    kms_key_arn: Input[str] | None = None
    """Another key that encrypts them instead; for ever too."""

    def __post_init__(self) -> None:
        zones = len(self.network.data_subnet_ids)
        if zones < 2:  # noqa: PLR2004 - two zones: what RDS takes as the fewest of a subnet group
            raise InvalidArgsError(
                of(self, "network"),
                got=f"a network with {zones} data subnet(s)",
                want="data subnets in two zones or more: a Network has them, and an adopted one says data_subnet_ids",
            )
        one_of(self, "engine_version", VERSIONS)
        if not re.fullmatch(CLASS, self.instance_class):
            raise InvalidArgsError(
                of(self, "instance_class"), got=self.instance_class, want="a class such as 'db.t4g.micro'"
            )
        _check_name(of(self, "database_name"), self.database_name)
        for user in self.users:
            _check_name(of(self, "users"), user)
        if len(set(self.users)) < len(self.users):
            raise InvalidArgsError(of(self, "users"), got=list(self.users), want="each user once")
        within(self, "storage", 20, 65_536, "GiB")
        within(self, "storage_limit", 22, 65_536, "GiB")
        if self.storage_limit is not None and self.storage_limit * 10 < self.storage * 11:
            raise InvalidArgsError(
                of(self, "storage_limit"), got=self.storage_limit, want=f"a tenth over {self.storage} GiB, or None"
            )
        within(self, "backup_days", 1, 35, "days")
        if self.own_key and self.kms_key_arn is not None:
            raise InvalidArgsError(of(self, "own_key"), got=True, want="False, with kms_key_arn: one key encrypts it")


class Database(Component):
    """An instance of RDS with PostgreSQL, and the secrets of those who use it.

    It is encrypted, and reached over TLS alone, from the security groups that it was opened to. RDS makes the master's
    password and changes it every seven days; nobody but a migration should read it. Each other user's is made by AWS as
    well (see `components.password`): no program and no state has either.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in RDS's 63 characters.

    """

    identifier: Output[str]
    """The component's name, with Pulumi's suffix behind."""
    address: Output[str]
    """The host that it answers at, on `PORT`."""
    port: int = PORT
    database_name: str
    security_group_id: Output[str]
    kms_key_arn: Input[str] | None
    """What it and its secrets are encrypted with; None for AWS's own keys."""

    def __init__(self, name: str, args: DatabaseArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.DATABASE)
        for user in args.users:
            naming.autonamed(f"{name}-{user}".replace("_", "-"), naming.CLOUDFORMATION_STACK)
        super().__init__(name, declared(args), opts)
        self._name, self.database_name = name, args.database_name
        own = args.own_key and key.create(self, name, f"Data of {name}", args.account, [], outlives=args.final_snapshot)
        self.kms_key_arn = own.arn if own else args.kms_key_arn

        subnets = aws.rds.SubnetGroup(
            name,
            description="Private subnets",
            subnet_ids=list(args.network.data_subnet_ids),
            tags=self.tags,
            opts=self.child(),
        )
        # One suffix for all: the logs, which must be there first, have the instance's name in theirs.
        self.identifier = subnets.name
        group = aws.ec2.SecurityGroup(
            name,
            # Without the name: another description is another group, and renaming must replace nothing.
            description="The database, and who may call it",
            vpc_id=args.network.vpc_id,
            tags=self.tags,
            opts=self.child(),
        )
        self.security_group_id = group.id
        instance = self._instance(name, args, subnets)
        self.address = instance.address
        self._master = instance.master_user_secrets.apply(lambda secrets: str(secrets[0].secret_arn))
        self._users = {
            user: password.make(
                self,
                f"{name}-{user}".replace("_", "-"),
                secret_name=Output.concat(self.identifier, f"/{user}"),
                username=user,
                kms_key_arn=self.kms_key_arn,
                what=f"The user {user} of a database",
            )
            for user in sorted(args.users)
        }
        self.register_outputs(
            {
                "identifier": self.identifier,
                "address": self.address,
                "port": self.port,
                "database_name": self.database_name,
                "security_group_id": self.security_group_id,
                "kms_key_arn": self.kms_key_arn,
            }
        )

    def master_secret(self, key: str | None = None) -> SecretReference:
        """Return the master's secret as a container takes it: whole, or its *key* ``username`` or ``password``.

        For a migration, at whose every start it is read anew. A service has a user of its own.
        """
        return SecretReference.of(self._master, key=key, kms_key_arn=self.kms_key_arn)

    def secret(self, user: str, key: str | None = None) -> SecretReference:
        """Return the secret of *user* as a container takes it: whole, or its *key* ``username`` or ``password``.

        Raises:
            InvalidArgsError: there is no such user.

        """
        return SecretReference.of(self.secret_arn(user), key=key, kms_key_arn=self.kms_key_arn)

    def secret_arn(self, user: str) -> Output[str]:
        """Return the ARN of *user*'s secret, by which its rotation is noticed.

        Raises:
            InvalidArgsError: there is no such user.

        """
        if user not in self._users:
            raise InvalidArgsError(
                "Database.users", got=user, want=f"one of {', '.join(self._users) or 'those that it was given'}"
            )
        return self._users[user]

    def open_to(self, name: str, security_group_id: Input[str]) -> Sequence[Resource]:
        """Let the security group in that *name* stands for, and out to here; return what has to be there for that.

        Both rules are this component's, and their logical names end in *name*.
        """
        mine = self.security_group_id
        return [
            security_group.let_in(self, f"{self._name}-from-{name}", mine, PORT, from_group=security_group_id),
            security_group.let_out(self, f"{self._name}-by-{name}", security_group_id, PORT, to_group=mine),
        ]

    def _instance(self, name: str, args: DatabaseArgs, subnets: aws.rds.SubnetGroup) -> aws.rds.Instance:
        parameters = aws.rds.ParameterGroup(
            name,
            family=f"postgres{args.engine_version}",
            description="TLS or nothing",
            parameters=[{"name": "rds.force_ssl", "value": "1", "apply_method": "immediate"}],
            tags=self.tags,
            opts=self.child(),
        )
        logs = [
            # RDS would make them itself, and keep them for ever.
            aws.cloudwatch.LogGroup(
                f"{name}-{log}",
                name=Output.concat("/aws/rds/instance/", self.identifier, f"/{log}"),
                retention_in_days=args.logs.retention_days,
                tags=self.tags,
                opts=self.child(),
            )
            for log in _LOGS
        ]
        return aws.rds.Instance(
            name,
            identifier=self.identifier,
            engine="postgres",
            engine_version=args.engine_version,
            allow_major_version_upgrade=args.major_upgrade,
            auto_minor_version_upgrade=True,
            # Deferred, an upgrade would leave the parameters of the version before in use, and to be deleted.
            apply_immediately=args.at_once or args.major_upgrade,
            instance_class=args.instance_class,
            storage_type="gp3",
            allocated_storage=args.storage,
            max_allocated_storage=args.storage_limit,
            storage_encrypted=True,
            kms_key_id=self.kms_key_arn,
            db_name=args.database_name,
            port=PORT,
            username=_MASTER,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=self.kms_key_arn,
            multi_az=args.multi_az,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[self.security_group_id],
            publicly_accessible=False,
            parameter_group_name=parameters.name,
            # An account may have another default. This one is good until 2061.
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
            ca_cert_identifier="rds-ca-rsa2048-g1",
            backup_retention_period=args.backup_days,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not args.final_snapshot,
            deletion_protection=args.deletion_protection,
            skip_final_snapshot=not args.final_snapshot,
            final_snapshot_identifier=Output.concat(self.identifier, "-final") if args.final_snapshot else None,
            enabled_cloudwatch_logs_exports=list(_LOGS),
            database_insights_mode="standard",
            performance_insights_enabled=True,
            performance_insights_retention_period=_FREE_DAYS,
            performance_insights_kms_key_id=self.kms_key_arn,
            tags=self.tags,
            # Where it is not protected here, whatever holds for the component does.
            opts=self.child(ResourceOptions(depends_on=logs, protect=True if args.deletion_protection else None)),
        )


def _check_name(field: str, name: str) -> None:
    if not _NAME.fullmatch(name) or _TAKEN.fullmatch(name):
        raise InvalidArgsError(
            field,
            got=name,
            want="lower-case letters, digits and underscores, 63 at most, no digit first; and none of PostgreSQL's or "
            "RDS's own, such as 'postgres'",
        )
