"""One container of a task: what it runs, what it is told, and when it counts as healthy."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from components import naming
from components.errors import InvalidArgsError, of, one_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input

    from components.image import Image
    from components.secret import SecretReference
    from components.volume import Volume

NetworkMode = Literal["awsvpc", "bridge", "host"]
"""What network a task's containers are in: the task's own, one within its instance, or the instance's itself."""

Condition = Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]

# The enumeration `UlimitName` of botocore's `ecs` model.
_ULIMITS: Final = (
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice",
    "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
)  # fmt: skip
# What is above is given out to others, and SSH and Docker have theirs: the text of `PortMapping` in botocore's `ecs`
# model.
_LAST_STATIC_PORT: Final = 32767
_RESERVED: Final = (22, 2375, 2376)
_CONDITIONS: Final = ("START", "COMPLETE", "SUCCESS", "HEALTHY")


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """A command that ECS runs inside the container; exit code 0 is healthy.

    Bounds: the texts of `HealthCheck` in botocore's `ecs` model.

    Raises:
        InvalidArgsError: a time out of bounds, or a command that begins with neither ``CMD`` nor ``CMD-SHELL``.

    """

    command: Sequence[str]
    """``("CMD", "python", "healthcheck.py")``, or ``("CMD-SHELL", "curl -f localhost || exit 1")`` with a shell."""
    interval: int = 30
    """Seconds between two runs, 5 to 300."""
    timeout: int = 5
    """Seconds until a run counts as failed, 2 to 60."""
    retries: int = 3
    """Failures in a row that make the container unhealthy, 1 to 10."""
    start_period: int = 0
    """Seconds after the start in which failures do not count, 0 to 300."""

    def __post_init__(self) -> None:
        if len(self.command) < 2 or self.command[0] not in ("CMD", "CMD-SHELL"):  # noqa: PLR2004 - a word and a command
            raise InvalidArgsError(
                of(self, "command"), got=list(self.command), want="begin with 'CMD' or 'CMD-SHELL', then the command"
            )
        within(self, "interval", 5, 300, "seconds")
        within(self, "timeout", 2, 60, "seconds")
        within(self, "retries", 1, 10)
        within(self, "start_period", 0, 300, "seconds")


@dataclass(frozen=True, kw_only=True)
class Ulimit:
    """One limit of the operating system's. On Fargate only ``nofile`` differs from the system's own default.

    Raises:
        InvalidArgsError: a name that ECS has not, or a soft limit over the hard one.

    """

    name: str
    """As ECS calls it, such as ``nofile``: open files and connections."""
    soft: int
    """What holds, 0 to `hard`; the process may raise it so far."""
    hard: int
    """What the process cannot go beyond."""

    def __post_init__(self) -> None:
        one_of(self, "name", _ULIMITS)
        if not 0 <= self.soft <= self.hard:
            raise InvalidArgsError(of(self, "soft"), got=self.soft, want=f"from 0 to the hard limit, {self.hard}")


@dataclass(frozen=True, kw_only=True)
class Tmpfs:
    """Memory that the container sees as a folder; what is in it is gone when the container stops.

    Raises:
        InvalidArgsError: a path that is not absolute, or no size.

    """

    path: str
    """Absolute, such as ``/tmp``."""
    mib: int
    """MiB, counted against the task's memory; 1 or more."""

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise InvalidArgsError(of(self, "path"), got=self.path, want="an absolute path, such as '/tmp'")
        within(self, "mib", 1, 120 * 1024, "MiB")


@dataclass(frozen=True, kw_only=True)
class Container:
    """What one container of a task is.

    Raises:
        InvalidArgsError: a bound of ECS's broken, or an environment name given twice.

    """

    image: Image
    """What it runs, by digest."""
    port: int | None = None
    """TCP port it listens on, 1 to 65535. Default: none; nothing can be sent to it."""
    port_name: str | None = None
    """What Service Connect and VPC Lattice know the port by: lower-case letters, digits, ``_`` and ``-``, 64 at most.
    Default: none, and neither can lead to it."""
    app_protocol: Literal["http", "http2", "grpc"] | None = None
    """What is spoken there, for Service Connect's proxy to understand. Default: TCP, which it passes on as it is. ECS
    holds on to it: another one later takes another service."""
    host_port: int | None = None
    """The instance's port that leads to it, of a task in bridge mode, 1 to 32767: no two tasks with one such port fit
    on an instance. Default: one that ECS gives out, above these, and another for each task."""
    name: str = "app"
    """Unique in its task; shown in logs and metrics."""
    command: Sequence[str] = ()
    """Default: the image's own. With it stated, the task definition alone says what runs."""
    environment: Mapping[str, Input[str]] = field(default_factory=dict[str, "Input[str]"])
    """Readable by whoever may describe the task definition: no secrets here."""
    secrets: Mapping[str, SecretReference] = field(default_factory=dict[str, "SecretReference"])
    """Environment variables whose values ECS reads, with the execution role, when the task starts."""
    health_check: HealthCheck | None = None
    """Default: none; the load balancer's own check then decides alone."""
    essential: bool = True
    """Whether the task stops when this container does."""
    depends_on: Mapping[str, Condition] = field(default_factory=dict[str, Condition])
    """Name of another container → what it must have reached before this one starts."""
    read_only_root: bool | None = None
    """Default: read-only, but in a task with ECS Exec, whose agent must write."""
    tmpfs: Sequence[Tmpfs] = ()
    """Writable places of a read-only root."""
    mounts: Mapping[str, Volume] = field(default_factory=dict[str, "Volume"])
    """Absolute path in the container → what stands there: ``{"/app/data": file_system.volume("data")}``. The root stays
    read-only beside it. Default: none."""
    user: str | None = None
    """``uid``, ``uid:gid`` or a name the image knows. Default: the image's own."""
    stop_timeout: int = 30
    """Seconds from SIGTERM to SIGKILL, 2 to 120 (Fargate's most). Default: 30, as Fargate's and the agent's."""
    ulimits: Sequence[Ulimit] = ()
    """Default: Fargate's own, which has 65535 for ``nofile``.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"""
    memory: int | None = None
    """MiB this container may use of the task's, 4 or more. Default: all of it."""
    cpu: int | None = None
    """CPU units kept for this container of the task's. Default: shared."""
    drop_capabilities: Sequence[str] = ("ALL",)
    """Linux capabilities taken away. Default: all; Fargate lets none but SYS_PTRACE be added back."""

    def __post_init__(self) -> None:
        naming.fixed(self.name, naming.CONTAINER)
        within(self, "port", 1, 65535)
        within(self, "host_port", 1, 65535)
        if self.port_name is not None:
            naming.fixed(self.port_name, naming.PORT)
        one_of(self, "app_protocol", ("http", "http2", "grpc"))
        for what in ("port", "port_name"):
            needs = {"port": self.port_name or self.host_port, "port_name": self.app_protocol}[what]
            if needs is not None and getattr(self, what) is None:
                raise InvalidArgsError(of(self, what), got=None, want=f"one, since {needs!r} is said of it")
        within(self, "stop_timeout", 2, 120, "seconds")
        within(self, "memory", 4, 120 * 1024, "MiB")
        within(self, "cpu", 1, 16384, "CPU units")
        for name, condition in self.depends_on.items():
            if condition not in _CONDITIONS:
                raise InvalidArgsError(
                    f"Container.depends_on[{name!r}]", got=condition, want=f"one of {', '.join(_CONDITIONS)}"
                )
        twice = sorted(self.environment.keys() & self.secrets.keys())
        if twice:
            raise InvalidArgsError(
                f"Container.environment of {self.name!r}", got=twice[0], want="it stands in `secrets` too: keep one"
            )
        self._refuse_mounts()
        if self.read_only_root is False and self.tmpfs:
            raise InvalidArgsError(
                of(self, "tmpfs"), got=self.tmpfs[0].path, want="drop it, or leave the root read-only"
            )

    def _refuse_mounts(self) -> None:
        for path in self.mounts:
            if not re.fullmatch(r"/[^/].*", path) or posixpath.normpath(path) != path:
                raise InvalidArgsError(
                    f"Container.mounts of {self.name!r}",
                    got=path,
                    want="an absolute path below the root, written plainly, such as '/app/data'",
                )
            if path in (each.path for each in self.tmpfs):
                raise InvalidArgsError(
                    f"Container.mounts of {self.name!r}", got=path, want="it stands in `tmpfs` too: keep one"
                )

    def static_host_port(self, network_mode: NetworkMode) -> int | None:
        """Return the port of the instance that it alone has in a task of *network_mode*, if there is one.

        Raises:
            InvalidArgsError: a port that is not the task's to take.

        """
        port = {"awsvpc": None, "bridge": self.host_port, "host": self.port}[network_mode]
        if port is not None:
            check_host_port(f"Container.{'host_port' if network_mode == 'bridge' else 'port'} of {self.name!r}", port)
        return port

    def definition(
        self, *, log_options: Mapping[str, str], exec_on: bool, network_mode: NetworkMode = "awsvpc"
    ) -> dict[str, Any]:
        """Render the container as ECS takes it, in a task with ECS Exec or without."""
        linux: dict[str, Any] = {"initProcessEnabled": True, "capabilities": {"drop": list(self.drop_capabilities)}}
        if self.tmpfs:
            linux["tmpfs"] = [{"containerPath": each.path, "size": each.mib} for each in self.tmpfs]
        said: dict[str, Any] = {
            "name": self.name,
            "image": self.image.uri,
            "essential": self.essential,
            # Sorted: the order in which settings are written must not make a new revision.
            "environment": [{"name": name, "value": self.environment[name]} for name in sorted(self.environment)],
            "logConfiguration": {"logDriver": "awslogs", "options": log_options},
            "readonlyRootFilesystem": not exec_on if self.read_only_root is None else self.read_only_root,
            "linuxParameters": linux,
            "stopTimeout": self.stop_timeout,
        }
        optional: dict[str, Any] = {
            "command": list(self.command),
            "portMappings": self._port_mappings(network_mode),
            "secrets": [{"name": name, "valueFrom": self.secrets[name].value_from} for name in sorted(self.secrets)],
            "healthCheck": self.health_check
            and {
                "command": list(self.health_check.command),
                "interval": self.health_check.interval,
                "timeout": self.health_check.timeout,
                "retries": self.health_check.retries,
                "startPeriod": self.health_check.start_period,
            },
            "dependsOn": [
                {"containerName": name, "condition": self.depends_on[name]} for name in sorted(self.depends_on)
            ],
            "mountPoints": [
                {"sourceVolume": self.mounts[path].name, "containerPath": path, "readOnly": self.mounts[path].read_only}
                for path in sorted(self.mounts)
            ],
            "ulimits": [{"name": each.name, "softLimit": each.soft, "hardLimit": each.hard} for each in self.ulimits],
            "user": self.user,
            "memory": self.memory,
            "cpu": self.cpu,
        }
        return said | {key: value for key, value in optional.items() if value}

    def _port_mappings(self, network_mode: NetworkMode) -> list[dict[str, Any]] | None:
        if self.port is None:
            return None
        said = {"name": self.port_name, "appProtocol": self.app_protocol}
        # 0: whichever the agent gives out.
        host_port = (self.host_port or 0) if network_mode == "bridge" else self.port
        mapping = {"containerPort": self.port, "hostPort": host_port, "protocol": "tcp"}
        return [mapping | {key: value for key, value in said.items() if value}]


def check_host_port(field: str, port: int) -> None:
    """Refuse *port*, told as *field*, as one of an instance that a task is to have for itself."""
    if not 1 <= port <= _LAST_STATIC_PORT or port in _RESERVED:
        raise InvalidArgsError(
            field, got=port, want=f"1 to {_LAST_STATIC_PORT}, but for {', '.join(map(str, _RESERVED))}, on an instance"
        )
