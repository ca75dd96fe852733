"""A service of `tiny_web` behind a load balancer, given one version after the other."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
import uuid
from typing import TYPE_CHECKING, Any

from deployments.inquiry import Inquiry

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployments.verdict import Verdict
    from tests.rehearsal.containers.conftest import Site

PORT = {"name": "PORT", "value": "8080"}


class Rolled:
    """The service, and what becomes of it."""

    def __init__(self, site: Site, *, rollback: bool = True, **said: Any) -> None:
        """Start it, and wait until it answers; *said* goes into its deployment configuration.

        Its circuit breaker trips at the first task that fails.
        """
        self.site, self.ecs = site, site.aws.client("ecs")
        name = f"web-{uuid.uuid4().hex[:8]}"
        self.host, self.group = self._entrance(name)
        breaker = {"enable": True, "rollback": rollback, "thresholdConfiguration": {"type": "COUNT", "value": 1}}
        self.first = self.define()
        self.arn = self.ecs.create_service(
            cluster=site.cluster,
            serviceName=name,
            taskDefinition=self.first,
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            loadBalancers=[{"targetGroupArn": self.group, "containerName": "web", "containerPort": 8080}],
            deploymentConfiguration={"deploymentCircuitBreaker": breaker, **said},
        )["service"]["serviceArn"]
        until(lambda: self.get()[0] == 200)

    def define(self, *environment: tuple[str, str], **container: Any) -> str:
        """Register a version; its ARN."""
        said = [PORT, *({"name": name, "value": value} for name, value in environment)]
        return self.site.define({"command": ["python3", "main.py"], "environment": said, **container})[
            "taskDefinitionArn"
        ]

    def update(self, definition: str) -> str:
        """Have the service run *definition* from now on."""
        self.ecs.update_service(cluster=self.site.cluster, service=self.arn, taskDefinition=definition)
        return definition

    def verdict(self, wanted: str, within: float = 40) -> Verdict:
        """Return what a program is told that wants the task definition *wanted*."""
        return Inquiry("eu-west-1", self.ecs).ask(self.site.cluster, self.arn, wanted, within)

    def statuses(self) -> list[str]:
        """Return the state of each of its deployments as ListServiceDeployments has it, the newest first."""
        found = self.ecs.list_service_deployments(cluster=self.site.cluster, service=self.arn)
        return [each["status"] for each in found["serviceDeployments"]]

    def get(self, path: str = "/health") -> tuple[int, bytes]:
        """Send a request through the load balancer; 0 where the connection is cut."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.site.aws.endpoint).netloc, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": self.host})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            return 0, b""
        finally:
            connection.close()

    def under_load(self, during: Callable[[], object], path: str = "/health", at_once: int = 4) -> list[int]:
        """Send requests for *path* while *during* runs; the statuses of all."""
        statuses: list[int] = []
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                statuses.append(self.get(path)[0])

        asking = [threading.Thread(target=ask) for _ in range(at_once)]
        for thread in asking:
            thread.start()
        try:
            until(lambda: len(statuses) >= at_once)
            during()
        finally:
            over.set()
            for thread in asking:
                thread.join()
        return statuses

    def _entrance(self, name: str) -> tuple[str, str]:
        ec2, elb = self.site.aws.client("ec2"), self.site.aws.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        balancer = elb.create_load_balancer(Name=name, Subnets=[subnet])["LoadBalancers"][0]
        group = elb.create_target_group(
            Name=name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath="/health",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return str(balancer["DNSName"]), str(group)


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Wait until it *holds*."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.05)
