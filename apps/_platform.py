"""What a stack has one of: network, cluster, shared load balancers, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pulumi

import deployments
from components.account import Account
from components.adopted_network import AnyNetwork
from components.api_gateway_logging import ApiGatewayLogging, ApiGatewayLoggingArgs
from components.base import Component
from components.bucket import Bucket, BucketArgs
from components.cluster import Cluster, ClusterArgs
from components.errors import InvalidArgsError
from components.load_balancer import LoadBalancer
from components.logs import Logs
from components.network import Network
from components.sleep import Sleep
from components.topic import Topic, TopicArgs
from settings import on_instances
from settings.instances import ManagedSettings

if TYPE_CHECKING:
    from pulumi import ResourceOptions

    from components.ec2_instances import Ec2Instances
    from components.managed_instances import ManagedInstances
    from components.service import Service
    from settings import LoadBalancerSettings, NetworkSettings, Settings
    from settings.instances import Instances

_AUDIT_DAYS = 365


class Platform(Component):
    """The ground that workloads stand on; each takes what it needs of it, and it knows none of them."""

    account: Account
    stage: str
    protect: bool
    """Whether what holds data or serves many refuses to be deleted."""
    sleep: Sleep | None
    """When services have no tasks, but for those that say otherwise."""
    network: AnyNetwork
    cluster: Cluster
    api_logging: ApiGatewayLogging | None
    """The account's leave for REST APIs to write access logs, where this stack makes it."""
    alerts: Topic
    alert_emails: tuple[str, ...]
    image_registry: str | None
    """Where images are that come by digest alone."""
    image_pull_accounts: tuple[str, ...]

    def __init__(self, name: str, settings: Settings, opts: ResourceOptions | None = None) -> None:
        """Make what *settings* say."""
        super().__init__(
            name,
            {"stage": settings.stage},
            opts,
            tags={"Service": name},
            role_bounds=settings.roles.value(settings.account(), settings.stage),
        )
        self.account, self.stage, self.protect = settings.account(), settings.stage, settings.protect
        self.alert_emails = settings.alerts.emails
        self.sleep = settings.sleep.value() if settings.sleep else None
        self.image_registry, self.image_pull_accounts = settings.image_registry, settings.image_pull_accounts
        self.network = self._network(settings.network)
        self.api_logging = (
            ApiGatewayLogging("api-gateway", ApiGatewayLoggingArgs(account=self.account), self.child())
            if settings.api_gateway_logging
            else None
        )
        self.alerts = Topic(
            "alerts",
            TopicArgs(
                account=self.account,
                publishers=("cloudwatch.amazonaws.com", "events.amazonaws.com"),
                emails=settings.alerts.emails,
            ),
            self.child(),
        )
        self._balancers = {
            kind: self._load_balancer(kind, said)
            for kind, said in (
                ("internal", settings.internal_load_balancer),
                ("public", settings.public_load_balancer),
            )
            if said is not None
        }
        # After the load balancers: its instances let them in.
        self.cluster = self._cluster(settings)
        self.register_outputs({"vpc_id": self.network.vpc_id, "cluster_arn": self.cluster.arn})

    def balancer(self, kind: Literal["internal", "public"]) -> LoadBalancer:
        """Return the stack's *kind* of load balancer.

        Raises:
            InvalidArgsError: the stack file has none.

        """
        if kind not in self._balancers:
            raise InvalidArgsError(
                f"drydock:{kind}_load_balancer", got=None, want=f"say what it is, if only `{kind}_load_balancer: {{}}`"
            )
        return self._balancers[kind]

    def confirm(self, service: Service) -> None:
        """Fail the deployment where ECS, asked after it, runs another version of *service* than was declared."""
        deployments.confirm(service, cluster_arn=self.cluster.arn, region=self.account.region)

    @property
    def balancers(self) -> dict[str, LoadBalancer]:
        """The load balancers there are, by kind."""
        return self._balancers

    def _network(self, said: NetworkSettings) -> AnyNetwork:
        if said.adopt:
            return said.adopt.value()
        return Network(self.stage, said.args(self.account), self.child())

    def _cluster(self, settings: Settings) -> Cluster:
        said = settings.cluster
        dynamic = on_instances.with_dynamic_ports((each for _, each in settings.workloads.services()), said)
        tags = settings.tags()

        def instances(name: str, each: Instances) -> Ec2Instances | ManagedInstances:
            if isinstance(each, ManagedSettings):
                return each.value(self.network, tags=tags)
            balancers = list(self._balancers.values()) if name in dynamic else []
            return each.value(self.network, balancers=balancers, tags=tags)

        return Cluster(
            settings.stage,
            ClusterArgs(
                account=self.account,
                capacity=[part.value() for part in said.capacity],
                instances={name: instances(name, each) for name, each in said.instances.items()},
                container_insights=said.container_insights,
                exec_audit=Logs(retention_days=_AUDIT_DAYS) if said.exec_audit else None,
                sleep=self.sleep,
            ),
            self.child(),
        )

    def _load_balancer(self, kind: str, said: LoadBalancerSettings) -> LoadBalancer:
        name = f"{self.stage}-{kind}"
        logs = None
        if said.access_log_days:
            logs = Bucket(
                f"{name}-access-logs",
                BucketArgs(log_delivery=self.account, expire_days=said.access_log_days, force_destroy=not self.protect),
                self.child(),
            )
        args = said.args(
            self.network,
            internal=kind == "internal",
            protect=self.protect,
            access_logs=logs.bucket_name if logs else None,
        )
        balancer = LoadBalancer(name, args, self.child())
        if not balancer.tls:
            pulumi.log.info(f"{kind} load balancer: serves HTTP only; `domain` in its section gives it HTTPS", balancer)
        return balancer
