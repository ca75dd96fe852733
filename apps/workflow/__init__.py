"""workflow: a gRPC server that streams conversations, and the HTTP gateway that calls it.

How the gateway finds the agents is one setting, `discovery`: neither side's code knows which way it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, Field, model_validator

from apps._web import WebSettings
from apps._workload import Outputs, Workload
from components import naming
from components.container import Container, HealthCheck
from components.discovery import Discovery, DiscoveryArgs
from components.service import Service, TargetHealth
from components.task import Task
from settings import ServiceSettings, WorkloadSettings
from settings.discovery import DiscoverySettings, Kind, ServiceConnectSettings
from settings.section import Text, below
from settings.workload import SizeSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings import Settings as Stack

_AGENT_PORT: Final = 50051
_GATEWAY_PORT: Final = 8080
_PATH: Final = "/workflow"
_SERVICE: Final = "WorkflowAgent"
"""As gRPC calls it."""
_STOP_TIMEOUT: Final = 60
"""Seconds; both drain for 25 and then end by themselves."""


class AgentSettings(ServiceSettings):
    """The gRPC server."""

    listens_on: ClassVar[tuple[int, ...]] = (_AGENT_PORT,)
    own_address: ClassVar[str | None] = "are found by their addresses"

    size: SizeSettings = SizeSettings(cpu=512, memory=1024)

    def problems(self, stack: Stack) -> Iterator[str]:
        """Yield also what only a service behind a load balancer can do."""
        yield from super().problems(stack)
        if self.deployment.value().watched:
            yield (
                f"deployment: got {self.deployment.strategy!r}; 'rolling' without alarms: no load balancer has agents "
                "whose requests could be shifted or watched"
            )

    @model_validator(mode="after")
    def _grows_by_what_is_measured(self) -> Self:
        if self.scaling and self.scaling.requests_per_target is not None:
            raise ValueError(
                f"scaling.requests_per_target: got {self.scaling.requests_per_target}; leave it out, and hold "
                "cpu_percent or memory_percent: nobody counts the calls of agents"
            )
        return self


class GatewaySettings(WebSettings):
    """The HTTP service."""

    listens_on: ClassVar[tuple[int, ...]] = (_GATEWAY_PORT,)
    own_address: ClassVar[str | None] = "are let in to the agents by their own security group"

    request_timeout: Annotated[int, Field(ge=1, le=55)] = 30
    """Seconds in which a conversation is answered to its end: less than the load balancer's 60."""


class FoundSettings(DiscoverySettings):
    """How the gateway finds the agents."""

    ways: tuple[Kind, ...] = ("cloud_map", "nlb")
    """One way; or `cloud_map` or `service_connect` and then `nlb`, in the order in which the gateway tries them."""
    service_connect: ServiceConnectSettings = ServiceConnectSettings(request_timeout=0)
    """The numbers of `service_connect`; a conversation may take any time."""


def _short_enough(domain: str) -> str:
    return naming.fixed(domain, naming.NAMESPACE)


class Settings(WorkloadSettings):
    """What `workloads: workflow:` may say."""

    agent: AgentSettings
    gateway: GatewaySettings
    discovery: FoundSettings = FoundSettings()
    """How the gateway finds the agents."""
    namespace: Annotated[str, Text(naming.NAMESPACE.pattern, naming.NAMESPACE.reads), AfterValidator(_short_enough)] = (
        "workflow.local"
    )
    """The private domain in which the agents' name is registered, where it is."""

    def problems(self, stack: Stack) -> Iterator[str]:
        """Yield what its parts need of the stack and do not find there."""
        for name, part in (("agent", self.agent), ("gateway", self.gateway)):
            yield from (below(name, problem) for problem in part.problems(stack))
        yield from (below("discovery", problem) for problem in self.discovery.problems(stack))


class Workflow(Workload[Settings]):
    """The agents, their discovery, and the gateway behind a load balancer of the stack."""

    def deploy(self) -> Outputs:
        """Make it all; hand out the gateway's address."""
        on, settings = self.on, self.settings
        agents = f"{self.name}-agent"
        discovery = Discovery(
            agents,
            DiscoveryArgs(
                account=on.account,
                network=on.network,
                ways=settings.discovery.value(lambda: on.balancer("internal").route(path=f"/{_SERVICE}/*")),
                port=_AGENT_PORT,
                protocol="grpc",
                namespace=settings.namespace,
            ),
            self.child(),
        )
        agent = Container(
            name=agents,
            image=self.image(settings.agent, folder="agent"),
            command=("python", "main.py"),
            port=_AGENT_PORT,
            port_name="grpc",
            app_protocol="grpc",
            environment={"GRPC_HOST": "0.0.0.0", "GRPC_PORT": str(_AGENT_PORT)},
            health_check=_own_check(),
            stop_timeout=_STOP_TIMEOUT,
        )
        serving = Service(
            agents,
            self.service_args(
                settings.agent,
                Task(agents, self.task_args(settings.agent, [agent]), self.child()),
                discovery=discovery,
            ),
            self.child(),
        )
        task = self._gateway_task(discovery)
        entrance = on.balancer(settings.gateway.load_balancer)
        gateway = Service(
            task.family,
            self.service_args(
                settings.gateway,
                task,
                entrance=entrance.route(path=(_PATH, f"{_PATH}/*")),
                target_health=TargetHealth(path="/health"),
                calls=[discovery],
            ),
            self.child(),
        )
        return {
            "url": entrance.url,
            "found_by": " ".join(settings.discovery.ways),
            "agent_service_name": serving.service_name,
            "gateway_service_name": gateway.service_name,
            "gateway_log_group_name": task.log_group_name,
            **{f"gateway_{key}": value for key, value in self.approval(gateway).items()},
        }

    def _gateway_task(self, discovery: Discovery) -> Task:
        said = self.settings.gateway
        container = Container(
            name="api-gateway",
            image=self.image(said, folder="gateway"),
            command=("python", "main.py"),
            port=_GATEWAY_PORT,
            environment={
                "BASE_PATH": _PATH,
                "PORT": str(_GATEWAY_PORT),
                "REQUEST_TIMEOUT": str(said.request_timeout),
                **discovery.environment("WORKFLOW_SERVICE"),
            },
            health_check=_own_check(),
            stop_timeout=_STOP_TIMEOUT,
        )
        args = self.task_args(said, [container], grants=discovery.grants())
        return Task(f"{self.name}-gateway", args, self.child())


def _own_check() -> HealthCheck:
    return HealthCheck(command=("CMD", "python", "healthcheck.py"), interval=10, timeout=5, retries=3, start_period=10)
