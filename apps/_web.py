"""The plainest workload: an image, a port, and a path behind a load balancer that it shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from apps._workload import Outputs, Workload
from components.alarms import Alarms, AlarmsArgs
from components.container import Container
from components.logs import Logs
from components.service import Service, ServiceArgs, TargetHealth
from components.task import Task, TaskArgs
from settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input

    from components.grants import Grant
    from components.image import Image


class WebWorkload(Workload[ServiceSettings]):
    """A workload that is one HTTP service."""

    def serve(
        self,
        *,
        image: Image,
        port: int,
        path: str | None = None,
        balancer: Literal["internal", "public"] = "internal",
        health_path: str = "/health",
        environment: Mapping[str, Input[str]] | None = None,
        grants: Sequence[Grant] = (),
    ) -> Outputs:
        """Run *image* behind a load balancer, with its alarms to the stack's topic.

        Of what the balancer gets, *path* is for this workload (default: ``/<name>`` and all below it); its container
        listens on *port* and answers 200 on *health_path* when it is well.
        """
        on, settings = self.on, self.settings
        entrance = on.balancer(balancer)
        task = Task(
            self.name,
            TaskArgs(
                account=on.account,
                containers=[Container(image=image, port=port, environment=environment or {})],
                size=settings.size.value(),
                grants=grants,
                logs=Logs(retention_days=settings.log_retention_days),
                exec_on=on.cluster if settings.execute_command else None,
            ),
            self.child(),
        )
        service = Service(
            self.name,
            ServiceArgs(
                task=task,
                cluster=on.cluster,
                network=on.network,
                entrance=entrance.route(path=path or (f"/{self.name}", f"/{self.name}/*")),
                target_health=TargetHealth(path=health_path),
                desired_count=settings.desired_count,
                scaling=settings.scaling.value() if settings.scaling else None,
                rollout=settings.rollout.value(),
                capacity=[part.value() for part in settings.capacity],
            ),
            self.child(),
        )
        Alarms(
            self.name,
            AlarmsArgs(
                cluster_name=on.cluster.cluster_name, service_name=service.service_name, actions=[on.alerts.arn]
            ),
            self.child(),
        )
        return {"url": entrance.url, "service_name": service.service_name, "log_group_name": task.log_group_name}
