"""express-api: a public REST API in front of an Express service that answers from PostgreSQL.

A request comes to the API gateway, which knows keys and throttles, through a link into the network to a load balancer
that nobody else may call, and from there to a task. The load balancer is this workload's own: whatever stands behind it
is public, which the stack's internal one must not be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from apps._workload import Outputs, Workload
from components import database as databases
from components import password
from components.container import Container, HealthCheck
from components.database import Database
from components.job import Job, JobArgs
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.logs import Logs
from components.public_api import PublicApi, PublicApiArgs
from components.run import Run
from components.secret import SecretReference
from components.service import Service, TargetHealth
from components.task import Task
from deployments.jobs import Runner
from settings import ServiceSettings
from settings.database import DatabaseSettings
from settings.public_api import PublicApiSettings, ThrottleSettings
from settings.section import below
from settings.workload import SizeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi import Input, Output

    from components.image import Image
    from settings import Settings as Stack

_PORT: Final = 3344
_USER: Final = "application"
"""The database user that the service is; the migration makes it."""
_PROXIES: Final = "2"
"""Who speaks of callers in ``X-Forwarded-For``: the API gateway, of the client, and then the load balancer."""
_LOGIN: Final = "POST /api/client/auth/login"


class Settings(ServiceSettings):
    """What `workloads: express-api:` may say."""

    listens_on: ClassVar[tuple[int, ...]] = (_PORT,)
    own_address: ClassVar[str | None] = "are let in to the database by their own security group"

    size: SizeSettings = SizeSettings(cpu=512, memory=1024)
    database: DatabaseSettings = DatabaseSettings()
    """Where its data is."""
    api: PublicApiSettings = PublicApiSettings()
    """What the public calls."""
    login_throttle: ThrottleSettings = ThrottleSettings(rate_limit=10, burst_limit=20)
    """What all logins together are held to, since each costs a quarter of a second of a processor."""
    token_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    """How long a login is good for. Nothing revokes one before."""
    largest_body: Annotated[int, Field(ge=1024, le=65_536)] = 8192
    """Bytes of a request's body, past which it is refused (413)."""
    connections: Annotated[int, Field(ge=1, le=100)] = 10
    """To the database, the most that one task opens."""
    migration_timeout: Annotated[int, Field(ge=60, le=3600)] = 600
    """Seconds that a migration may take before a deployment is given up."""

    def problems(self, stack: Stack) -> Iterator[str]:
        """Yield what its parts need of the stack and do not find there."""
        yield from super().problems(stack)
        yield from (f"database: {problem}" for problem in self.database.problems(stack))
        yield from (below("api", problem) for problem in self.api.problems(stack))
        yield from self._too_many_connections()

    def _too_many_connections(self) -> Iterator[str]:
        """Yield how many connections all tasks of a rollout open, where that is more than the database has."""
        tasks = self.scaling.maximum if self.scaling else self.desired_count
        opened = self.rollout.value().together(tasks) * self.connections
        most = self.database.most_connections()
        if most is not None and opened > most:
            yield (
                f"connections: got {self.connections}, which {tasks} tasks make {opened} in a rollout; {most} in all "
                f"are there of {self.database.instance_class}: fewer, or a larger `database: {{instance_class: ...}}`"
            )


class ExpressApi(Workload[Settings]):
    """The database, the migration that runs before each new version, the service, and the public way to it."""

    def deploy(self) -> Outputs:
        """Make it all; hand out where it answers, how each client's key is shown, and where its data and lines are."""
        on, said = self.on, self.settings
        database = Database(
            self.name,
            said.database.args(on.account, on.network, name="api", users=[_USER], protect=on.protect),
            self.child(),
        )
        tokens = password.make(
            self,
            f"{self.name}-tokens",
            secret_name=database.identifier.apply(lambda identifier: f"{identifier}/tokens"),
            username="tokens",
            kms_key_arn=database.kms_key_arn,
            what="What tokens of logins are signed with",
        )
        image = self.image()
        migration = self._migration(database, image)
        migration.needs += database.open_to("migration", migration.security_group_id)
        balancer = LoadBalancer(
            self.name, LoadBalancerArgs(network=on.network, deletion_protection=on.protect), self.child()
        )
        task = Task(self.name, self.task_args(said, [self._container(image, database, tokens)]), self.child())
        service = Service(
            self.name,
            self.service_args(
                said,
                task,
                entrance=balancer.route(path="/*"),
                target_health=TargetHealth(path="/api/info", interval=30, timeout=5, healthy=2),
                before=[migration],
            ),
            self.child(),
        )
        database.open_to("service", service.security_group_id)
        self.watch(self.name, service)
        api = self._api(balancer)
        return {
            "api_gateway_url": api.url,
            **{f"{client}_key_id": key_id for client, key_id in api.key_ids.items()},
            **{f"{client}_key_command": command for client, command in api.key_commands.items()},
            "service_name": service.service_name,
            "log_group_name": task.log_group_name,
            "database": database.identifier,
            **self.approval(service),
        }

    def _migration(self, database: Database, image: Image) -> Job:
        """Make what brings the database to what *image* needs, before the service runs it: as the master, once."""
        on, name = self.on, f"{self.name}-migration"
        container = Container(
            name="migration",
            image=image,
            command=("node", "migrate.js"),
            environment=_place(database),
            secrets=_user("MASTER", database.master_secret) | self._application(database),
        )
        # Nobody listens, opens a shell, or is on a host's port.
        said = self.settings.model_copy(update={"execute_command": False, "host_port": None})
        return Job(
            name,
            JobArgs(
                cluster=on.cluster,
                network=on.network,
                run=Run(task=Task(name, self.task_args(said, [container]), self.child())),
                runner=Runner(region=on.account.region),
                timeout=self.settings.migration_timeout,
                capacity=[part.value() for part in self.settings.capacity],
            ),
            self.child(),
        )

    def _container(self, image: Image, database: Database, tokens: Output[str]) -> Container:
        return Container(
            name="api",
            image=image,
            command=("node", "main.js"),
            port=_PORT,
            environment={
                **_place(database),
                "PORT": str(_PORT),
                "PROXIES": _PROXIES,
                "TOKEN_MINUTES": str(self.settings.token_minutes),
                "LARGEST_BODY": str(self.settings.largest_body),
                "DATABASE_CONNECTIONS": str(self.settings.connections),
            },
            secrets={
                **self._application(database),
                "TOKEN_KEY": SecretReference.of(tokens, key="password", kms_key_arn=database.kms_key_arn),
            },
            health_check=HealthCheck(
                command=("CMD", "node", "healthcheck.js"), interval=30, timeout=5, retries=3, start_period=60
            ),
        )

    def _application(self, database: Database) -> dict[str, SecretReference]:
        return _user("APPLICATION", lambda key: database.secret(_USER, key))

    def _api(self, balancer: LoadBalancer) -> PublicApi:
        said = self.settings.api
        return PublicApi(
            self.name,
            PublicApiArgs(
                account=self.on.account,
                network=self.on.network,
                load_balancer=balancer,
                stage=said.stage,
                throttle=said.throttle.value(),
                method_throttles={_LOGIN: self.settings.login_throttle.value()},
                plans=said.usage_plans(),
                timeout_ms=said.timeout_ms,
                domain=said.domain and said.domain.value(),
                web_acl_arn=said.web_acl_arn,
                logs=Logs(retention_days=said.log_retention_days),
                logging=self.on.api_logging,
                tracing=said.tracing,
            ),
            self.child(),
        )


def _place(database: Database) -> Mapping[str, Input[str]]:
    """Return where *database* is, as the image's environment has it; whose authorities sign it, the image knows."""
    return {
        "DATABASE_HOST": database.address,
        "DATABASE_PORT": str(databases.PORT),
        "DATABASE_NAME": database.database_name,
    }


def _user(prefix: str, secret: Callable[[str], SecretReference]) -> dict[str, SecretReference]:
    """Return the two variables by which the image knows a database user, behind *prefix*."""
    return {f"{prefix}_USERNAME": secret("username"), f"{prefix}_PASSWORD": secret("password")}
