"""The plainest workload: an image, a port, and a path behind a load balancer that it shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal

from typing_extensions import TypeVar

from apps._workload import Outputs, Workload
from components.container import Container
from components.service import Service, TargetHealth
from components.task import Task
from settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi import Input

    from components.grants import Grant
    from components.image import Image
    from settings import Settings as Stack


class WebSettings(ServiceSettings):
    """What the section of a workload that is one HTTP service may say."""

    load_balancer: Literal["internal", "public"] = "internal"
    """Which of the stack's load balancers it is behind."""

    def problems(self, stack: Stack) -> Iterator[str]:
        """Yield what its entrance needs of the stack and does not find there, beside what any service does."""
        yield from super().problems(stack)
        balancers = {"internal": stack.internal_load_balancer, "public": stack.public_load_balancer}
        if balancers[self.load_balancer] is None:
            opened = {"internal": "vpc", "public": "0.0.0.0/0"}[self.load_balancer]
            yield (
                f"load_balancer: got {self.load_balancer!r}, which the stack has not; "
                f"add `{self.load_balancer}_load_balancer: {{open_to: [{opened}]}}`"
            )


S = TypeVar("S", bound=WebSettings, default=WebSettings)


class WebWorkload(Workload[S], Generic[S]):
    """A workload that is one HTTP service; ``WebWorkload[Settings]`` where it has settings of its own."""

    def serve(
        self,
        *,
        image: Image,
        port: int,
        path: str | None = None,
        health_path: str = "/health",
        command: Sequence[str] = (),
        environment: Mapping[str, Input[str]] | None = None,
        grants: Sequence[Grant] = (),
    ) -> Outputs:
        """Run *image* behind the load balancer that its section names, with its alarms to the stack's topic.

        Of what the balancer gets, *path* is for this workload (default: ``/<name>`` and all below it); its container
        listens on *port* and answers 200 on *health_path* when it is well. *command* is what it runs (default: the
        image's own), *grants* what it may do in AWS.
        """
        on, settings = self.on, self.settings
        entrance = on.balancer(settings.load_balancer)
        container = Container(image=image, port=port, command=command, environment=environment or {})
        task = Task(self.name, self.task_args(settings, [container], grants=grants), self.child())
        route = entrance.route(path=path or (f"/{self.name}", f"/{self.name}/*"))
        health = TargetHealth(path=health_path)
        service = Service(
            self.name, self.service_args(settings, task, entrance=route, target_health=health), self.child()
        )
        self.watch(self.name, service)
        return {
            "url": entrance.url,
            "service_name": service.service_name,
            "log_group_name": task.log_group_name,
            **self.approval(service),
        }
