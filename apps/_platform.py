"""What a stack has one of: network, cluster, shared load balancers, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

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
from components.topic import Topic, TopicArgs

if TYPE_CHECKING:
    from pulumi import ResourceOptions

    from components.service import Service
    from components.task import Task
    from settings import LoadBalancerSettings, NetworkSettings, Settings

_AUDIT_DAYS = 365


class Platform(Component):
    """The ground that workloads stand on; each takes what it needs of it, and it knows none of them."""

    account: Account
    stage: str
    protect: bool
    """Whether what holds data or serves many refuses to be deleted."""
    network: AnyNetwork
    cluster: Cluster
    api_logging: ApiGatewayLogging | None
    """The account's leave for REST APIs to write access logs, where this stack makes it."""
    alerts: Topic
    alert_emails: tuple[str, ...]
    image_pull_accounts: tuple[str, ...]

    def __init__(self, name: str, settings: Settings, opts: ResourceOptions | None = None) -> None:
        """Make what *settings* say."""
        super().__init__(name, {"stage": settings.stage}, opts, tags={"Service": name})
        self.account, self.stage, self.protect = settings.account(), settings.stage, settings.protect
        self.alert_emails, self.image_pull_accounts = settings.alerts.emails, settings.image_pull_accounts
        self.network = self._network(settings.network)
        self.cluster = Cluster(
            settings.stage,
            ClusterArgs(
                account=self.account,
                capacity=[part.value() for part in settings.cluster.capacity],
                container_insights=settings.cluster.container_insights,
                exec_audit=Logs(retention_days=_AUDIT_DAYS) if settings.cluster.exec_audit else None,
            ),
            self.child(),
        )
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

    def confirm(self, service: Service, task: Task) -> None:
        """Fail the deployment where ECS, asked after it, runs another version of *service* than *task*."""
        deployments.confirm(service, task, cluster_arn=self.cluster.arn, region=self.account.region)

    @property
    def balancers(self) -> dict[str, LoadBalancer]:
        """The load balancers there are, by kind."""
        return self._balancers

    def _network(self, said: NetworkSettings) -> AnyNetwork:
        if said.adopt:
            return said.adopt.value()
        return Network(self.stage, said.args(self.account), self.child())

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
        return LoadBalancer(name, args, self.child())
