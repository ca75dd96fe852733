"""query-services as a stack has them: the workload itself, many times over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from fixtures import ACCOUNT_ID, DIGEST, KEY_ARN, NETWORK, REGION, REPOSITORY_URL, ROOT
from pulumi import ResourceOptions

from apps.query_service import QueryService, Settings
from components.account import Account
from components.cluster import Cluster, ClusterArgs
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from settings import ImageSettings
from settings.service import RolloutSettings

if TYPE_CHECKING:
    import pulumi_aws as aws

_SETTINGS = Settings(
    image=ImageSettings(repository=REPOSITORY_URL, digest=DIGEST), rollout=RolloutSettings(minimum_healthy_percent=50)
)


def build(count: int, provider: aws.Provider) -> None:
    """Register *count* query-services."""
    opts = ResourceOptions(providers=[provider])
    account = Account(id=ACCOUNT_ID, region=REGION)
    balancer = LoadBalancer("bench-internal", LoadBalancerArgs(network=NETWORK, open_to=["vpc"]), opts)
    # What `Platform` hands to a workload, without a network of its own to make.
    on = SimpleNamespace(
        account=account,
        stage="bench",
        protect=True,
        role_bounds=None,
        image_registry=None,
        sleep=None,
        network=NETWORK,
        cluster=Cluster("bench", ClusterArgs(account=account), opts),
        api_logging=None,
        alerts=SimpleNamespace(kms_key_arn=KEY_ARN),
        alert_emails=(),
        balancer=lambda _kind: balancer,
        confirm=lambda _service: None,  # which asks AWS, and by hand nobody does
    )
    for number in range(count):
        workload = Numbered(f"query-service-{number}", cast("Any", on), _SETTINGS, opts)
        workload.deploy()
        workload.attend()


class Numbered(QueryService):
    """The workload with names and paths that many of it can have side by side."""

    @property
    def function(self) -> str:
        return f"{self.name}-result"

    @property
    def paths(self) -> tuple[str, ...]:
        return (f"/{self.name}/*",)

    def source(self, folder: str) -> str:
        return f"{ROOT}/apps/query_service/{folder}"
