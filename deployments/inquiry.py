"""Asks ECS how a deployment stands, as often as it takes."""

from __future__ import annotations

import dataclasses
import importlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from deployments.verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EVERY: Final = 5.0
"""Seconds between two questions."""
_A_PAGE: Final = 100
"""Deployments in one answer: the most that ECS gives."""
_EVENTS: Final = 5
_TASKS: Final = 5
"""Stopped tasks that are told of; ECS knows of each for an hour."""


class UnansweredError(Exception):
    """ECS could not be asked; why."""


class Inquiry:
    """Questions to ECS in one region, with whatever credentials boto3 finds, as the provider does."""

    def __init__(self, region: str, client: Any = None) -> None:
        """Ask in *region*, through *client* where one is given."""
        self._region = region
        self._client = client
        self._lock = threading.Lock()
        # Not at the top: a preview, which never asks, is spared them.
        self._boto3: Any = importlib.import_module("boto3")
        self._config: Any = importlib.import_module("botocore.config")
        self._faults: Any = importlib.import_module("botocore.exceptions")

    def ask(self, cluster: str, service: str, wanted: str, within: float) -> Verdict:
        """Return how *service* stands once its deployment is over, or after *within* seconds as it is then.

        Throttled questions are asked again, by botocore, in its adaptive mode.

        Raises:
            UnansweredError: no credentials, no right to ask, no such service, or no answer.

        """
        faults = self._faults
        try:
            ecs = self._ecs()
            deadline = time.monotonic() + within
            while True:
                # In this order: a deployment that ends between the two would be judged by what was primary before.
                newest_first = self._newest_first(ecs, cluster, service)
                described = self._described(ecs, cluster, service)
                verdict = judge(described, newest_first, wanted)
                if verdict.state != "in progress" or time.monotonic() >= deadline:
                    break
                time.sleep(_EVERY)
            if verdict.state == "in progress":
                verdict = dataclasses.replace(verdict, state="failed", reason=f"not over after {within:.0f} s")
            if not verdict.failed:
                return verdict
            return dataclasses.replace(verdict, told=[*self._told(ecs, cluster, described)])
        except (faults.NoCredentialsError, faults.CredentialRetrievalError, faults.ProfileNotFound):
            raise UnansweredError("there are no AWS credentials to ask ECS with") from None
        except faults.ClientError as error:
            said: dict[str, Any] = error.response.get("Error", {})
            raise UnansweredError(
                f"ECS refused the question ({said.get('Code')}: {said.get('Message')}); it takes ecs:DescribeServices, "
                "ecs:ListServiceDeployments, ecs:ListTasks and ecs:DescribeTasks"
            ) from None
        except faults.BotoCoreError as error:
            raise UnansweredError(f"ECS did not answer: {error}") from None

    def _ecs(self) -> Any:
        # One for all services: a client takes a while to make, and paces what it sends where ECS throttles it.
        with self._lock:
            if self._client is None:
                config = self._config.Config(retries={"mode": "adaptive", "total_max_attempts": 8})
                self._client = self._boto3.session.Session().client("ecs", region_name=self._region, config=config)
            return self._client

    def _newest_first(self, ecs: Any, cluster: str, service: str) -> list[dict[str, Any]]:
        """Return the service's deployments of the last weeks; none where it is gone, which its description tells."""
        found: list[dict[str, Any]] = []
        page: dict[str, str] = {}
        try:
            # In no order that ECS promises: the newest may be on any page.
            while True:
                answer = ecs.list_service_deployments(cluster=cluster, service=service, maxResults=_A_PAGE, **page)
                found += answer["serviceDeployments"]
                if not answer.get("nextToken"):
                    break
                page = {"nextToken": answer["nextToken"]}
        except self._faults.ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ServiceNotFoundException":
                raise
        return sorted(found, key=lambda each: each["createdAt"], reverse=True)

    def _described(self, ecs: Any, cluster: str, service: str) -> dict[str, Any]:
        found = ecs.describe_services(cluster=cluster, services=[service])["services"]
        if not found:
            raise UnansweredError(f"ECS knows no service {service}")
        return found[0]

    def _told(self, ecs: Any, cluster: str, described: Mapping[str, Any]) -> Iterator[str]:
        """Yield the service's last events, then why its last tasks stopped."""
        for event in described.get("events", [])[:_EVENTS]:
            yield f"{event['createdAt']:%H:%M:%S} {event['message']}"
        if described.get("status") == "INACTIVE":
            return  # ListTasks knows it no more
        named = {"cluster": cluster, "serviceName": described["serviceName"]}
        try:
            arns = ecs.list_tasks(**named, desiredStatus="STOPPED")["taskArns"][:_TASKS]
            tasks: list[dict[str, Any]] = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        except (self._faults.ClientError, self._faults.BotoCoreError) as error:
            # That it failed is known by now, and stays so.
            yield f"why its tasks stopped ECS would not say: {error}"
            return
        for task in tasks:
            yield f"task {task['taskArn'].rpartition('/')[2]} stopped: {why(task)}"


def why(task: Mapping[str, Any]) -> str:
    """Return why *task*, one of `DescribeTasks`, stopped, and how each of its containers ended."""
    containers = [
        f"{each['name']} "
        + (f"ended with {each['exitCode']}" if "exitCode" in each else "never ran")
        + (f" ({each['reason']})" if each.get("reason") else "")
        for each in task.get("containers", [])
    ]
    return "; ".join([task.get("stoppedReason") or "ECS gave no reason", *containers])
