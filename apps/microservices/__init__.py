"""microservices: user, market, news and blog, and web, the page that shows the latest of each.

The services are one image: a folder each in `services/`, and a section each in the stack file, from which all else
follows here. web is an image of its own. All stand behind the stack's public load balancer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from apps._workload import Outputs, Workload
from components.bucket import Bucket, BucketArgs
from components.container import Container, HealthCheck
from components.service import Service, TargetHealth
from components.table import Table, TableArgs
from components.task import Task
from settings import ImagedSettings, ServiceSettings, WorkloadSettings
from settings.section import Text, below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi import Input

    from components.capacity import Architecture
    from components.grants import Grant
    from components.image import Image
    from settings import Settings as Stack

_SERVICES: Final = Path(__file__).parent / "services"
_PORT: Final = 8080
_WEB_PORT: Final = 3000
"""Unprivileged, as web's user is; clients see the load balancer's."""
_WEBS_OWN: Final = ("web", "assets", "health", "whoami")
"""Its name, and the paths at which web itself answers."""


def _in_its_folder(name: str) -> str:
    """Let *name* through if there is such a service."""
    there = sorted(each.parent.name for each in _SERVICES.glob("*/service.py") if each.parent.name != "serving")
    if name not in there:
        raise ValueError(f"got {name!r}, without a file services/{name}/service.py; there are {', '.join(there)}")
    if name in _WEBS_OWN:
        raise ValueError(f"got {name!r}, which is web's own; any name but {', '.join(_WEBS_OWN)}")
    return name


# What it is called is the end of the names of its target group and the like, which have room for 24 characters.
ServiceName = Annotated[
    str, Text(r"[a-z][a-z0-9]{0,9}", "1 to 10 small letters and digits, a letter first"), AfterValidator(_in_its_folder)
]


class EachSettings(ServiceSettings):
    """One of the services."""

    listens_on: ClassVar[tuple[int, ...]] = (_PORT,)

    storage: Literal["table", "bucket"] = "table"
    """What it keeps its data in: a DynamoDB table, or an S3 bucket, of its own."""

    @model_validator(mode="after")
    def _an_image(self) -> Self:
        """Take no image, where any other section must: all services run one."""
        if "image" in self.model_fields_set:
            raise ValueError("image: all services run one image; say it beside `each`")
        return self


class ServicesSettings(ImagedSettings):
    """The services, all of one image."""

    each: Annotated[dict[ServiceName, EachSettings], Field(min_length=1)]
    """A section for each, by the name of its folder in `services/`. Their order says nothing."""


class PageSettings(ServiceSettings):
    """The page."""

    listens_on: ClassVar[tuple[int, ...]] = (_WEB_PORT,)

    def problems(self, stack: Stack) -> Iterator[str]:
        """Yield also which instances do not let it out to the load balancer, where its ways out are theirs."""
        yield from super().problems(stack)
        balancer = stack.public_load_balancer
        needs = _ways_out(tls=bool(balancer and balancer.domain))
        for name, instances in stack.cluster.ec2(self.capacity).items() if self.network_mode != "awsvpc" else ():
            if closed := sorted({*needs} - {*instances.open_ports}):
                yield (
                    f"network_mode: got {self.network_mode!r}, in which it calls what its instances may; add "
                    f"{', '.join(map(str, closed))} to the open_ports of {name!r}, or say 'awsvpc'"
                )


def _ways_out(*, tls: bool) -> tuple[int, ...]:
    """Return the ports that web calls: the load balancer's, and AWS's."""
    return (443,) if tls else (80, 443)


class Settings(WorkloadSettings):
    """What `workloads: microservices:` may say."""

    services: ServicesSettings
    web: PageSettings
    """The page."""

    def problems(self, stack: Stack) -> Iterator[str]:
        """Yield what its parts need of the stack and do not find there."""
        if stack.public_load_balancer is None:
            yield "is behind the public load balancer; add `public_load_balancer: {open_to: [0.0.0.0/0]}`"
        elif not {"0.0.0.0/0", "nat"} & {*stack.public_load_balancer.open_to}:
            yield (
                f"web: asks the services through the public load balancer, by NAT, and that is open to "
                f"{', '.join(stack.public_load_balancer.open_to) or 'nobody'}; add `nat` to its open_to"
            )
        if stack.network.adopt is None and stack.network.nat == "none":
            yield "web: asks the services through the public load balancer, by NAT; say `network: {nat: single}`"
        yield from self._one_image(stack)
        parts = {"web": self.web} | {f"services.each.{name}": said for name, said in self.services.each.items()}
        for path, part in parts.items():
            yield from (below(path, problem) for problem in part.problems(stack))

    def _one_image(self, stack: Stack) -> Iterator[str]:
        """Yield why the image of all services could not run on the machines that they are on."""
        each = self.services.each.items()
        kinds: dict[str, Architecture | None] = {
            name: stack.cluster.architecture(said.capacity) for name, said in sorted(each)
        }
        if len({*kinds.values()} - {None}) > 1:
            told = ", ".join(f"{name} ({kind})" for name, kind in kinds.items() if kind)
            yield f"services.each: got {told}; processors of one architecture, since all services run one image"
            return
        for kind in dict.fromkeys(kinds.values()):
            yield from (below("services", problem) for problem in self.services.problems_on(kind, stack))


class Microservices(Workload[Settings]):
    """The services, each with its own storage, role, log and route; and web, which asks them for their latest."""

    def deploy(self) -> Outputs:
        """Make it all; hand out the address, and of each service where its tasks, its lines and its data are."""
        entrance = self.on.balancer("public")
        outputs: dict[str, Input[str]] = {"url": entrance.url, "domain": entrance.domain or "none"}
        services = sorted(self.settings.services.each.items())
        image = self.image(self.settings.services, folder="services", run_by=services[0][1])
        for name, said in services:
            outputs |= self._serve(name, said, image)
        return {**outputs, **self._web([name for name, _ in services])}

    def _serve(self, name: str, said: EachSettings, image: Image) -> Outputs:
        """Make the service *name*, with its own storage, and the right to that alone."""
        variable, storage, grant = self._storage(f"{self.name}-{name}", said)
        container = Container(
            image=image,
            command=("python", "main.py", name),
            port=_PORT,
            environment={"AWS_DEFAULT_REGION": self.on.account.region, "PORT": str(_PORT), variable: storage},
            health_check=_own_check("python", "healthcheck.py"),
        )
        paths = (f"/{name}", f"/{name}/*")
        outputs = self._behind_balancer(name, said, container, grants=[grant], paths=paths)
        return {**outputs, f"{name}_{variable.lower()}": storage}

    def _storage(self, name: str, said: EachSettings) -> tuple[str, Input[str], Grant]:
        """Make what a service keeps its data in; return the variable that tells it, its name and the right to it."""
        if said.storage == "bucket":
            bucket = Bucket(name, BucketArgs(force_destroy=not self.on.protect), self.child())
            return (
                "BUCKET_NAME",
                bucket.bucket_name,
                bucket.grant("ListBucket", "GetObject", "PutObject", "DeleteObject"),
            )
        table = Table(
            name,
            TableArgs(
                partition_key="pk",
                sort_key="sk",
                ttl_attribute="expires_at",
                deletion_protection=self.on.protect,
            ),
            self.child(),
        )
        return "TABLE_NAME", table.table_name, table.grant("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")

    def _web(self, services: Sequence[str]) -> Outputs:
        """Make the page of *services*.

        It asks them where everybody does, at the load balancer, and as a task goes anywhere: by NAT. An internal load
        balancer would save that way, and cost each service a second target group, which what shifts traffic between two
        versions would have to shift too; so the page sees the version that its readers see. The way's price is small:
        web keeps what it hears for a second, however many look. But whoever opens the load balancer to some alone must
        have `nat` among them.
        """
        entrance, said = self.on.balancer("public"), self.settings.web
        container = Container(
            image=self.image(said, folder="web"),
            command=("node", "main.js"),
            port=_WEB_PORT,
            environment={"PORT": str(_WEB_PORT), "SERVICES": " ".join(services), "SERVICES_URL": entrance.url},
            health_check=_own_check("node", "healthcheck.js"),
        )
        tasks = {"web_tasks": str(said.scaling.minimum if said.scaling else said.desired_count)}
        return {
            **self._behind_balancer("web", said, container, paths=("/*",), open_ports=_ways_out(tls=entrance.tls)),
            **tasks,
        }

    def _behind_balancer(
        self,
        name: str,
        said: ServiceSettings,
        container: Container,
        *,
        paths: Sequence[str],
        grants: Sequence[Grant] = (),
        open_ports: Sequence[int] = (443,),
    ) -> Outputs:
        """Keep *container* running, sent the requests for *paths*, with its alarms to the stack's topic."""
        on, full = self.on, f"{self.name}-{name}"
        task = Task(full, self.task_args(said, [container], grants=grants), self.child())
        service = Service(
            full,
            self.service_args(
                said,
                task,
                entrance=on.balancer("public").route(path=paths, host=self._hosts(name)),
                target_health=TargetHealth(path="/health"),
                open_ports=open_ports,
            ),
            self.child(),
        )
        self.watch(full, service)
        return {
            f"{name}_service_name": service.service_name,
            f"{name}_log_group_name": task.log_group_name,
            **{f"{name}_{key}": value for key, value in self.approval(service).items()},
        }

    def _hosts(self, name: str) -> tuple[str, ...] | None:
        """Return the hosts at which requests are for *name*; None for any, where the load balancer has no domain.

        The shop's own; and for a service ``user.shop.example.com`` too, where the domain has such a name.
        """
        balancer = self.on.balancer("public")
        if balancer.domain is None:
            return None
        own = f"{name}.{balancer.domain}"
        return (balancer.domain, own) if {own, f"*.{balancer.domain}"} & {*balancer.names} else (balancer.domain,)


def _own_check(*command: str) -> HealthCheck:
    return HealthCheck(command=("CMD", *command), interval=10, timeout=5, retries=3, start_period=30)
