"""Every setting reaches what it is about: one that is read and goes nowhere would look as if it did something."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

from apps import _platform, _web, _workload
from components.image import Image
from settings.section import Section
from tests.apps.stacks import DIGEST, platform, provider, stack
from tests.components.recorder import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi import ResourceOptions

    from apps._workload import Outputs

MAKERS = {
    _platform: ("Network", "Cluster", "ApiGatewayLogging", "Topic", "Bucket", "LoadBalancer"),
    _workload: ("Repository",),
    _web: ("Service", "Task"),
}
CERTIFICATE = "arn:aws:acm:eu-north-1:444455556666:certificate/1a2b"
ADOPTED: dict[str, Any] = {
    "vpc_id": "vpc-0a1b2c3d",
    "cidr": "10.1.0.0/16",
    "zones": ["b", "c"],
    "public_subnet_ids": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
    "app_subnet_ids": ["subnet-2a1b2c3d", "subnet-3a1b2c3d"],
    "data_subnet_ids": ["subnet-4a1b2c3d", "subnet-5a1b2c3d"],
    "endpoint_ids": {"execute-api": "vpce-0a1b2c3d"},
    "nat_addresses": {"b": "203.0.113.7"},
}
# Nothing is as it would be anyway; what cannot be said beside the rest is in NOT_SAID.
STACK: dict[str, Any] = {
    "region": "eu-north-1",
    "allowed_account_ids": ["444455556666"],
    "stage": "far",
    "owner": "them",
    "cost_center": "cc-9",
    "protect": False,
    "network": {
        "cidr": "10.9.0.0/16",
        "zones": ["b", "c"],
        "nat": "single",
        "gateway_endpoints": ["s3"],
        "interface_endpoints": ["sqs"],
        "flow_log_days": 7,
    },
    "cluster": {
        "capacity": [{"provider": "FARGATE_SPOT", "weight": 3, "base": 2}],
        "container_insights": "disabled",
        "exec_audit": True,
    },
    "internal_load_balancer": {
        "domain": {"name": "in.example.com", "further_names": ["*.in.example.com"], "certificate_arn": CERTIFICATE},
        "open_to": ["10.8.0.0/16"],
        "idle_timeout": 61,
        "access_log_days": 11,
    },
    "public_load_balancer": {
        "domain": {"name": "out.example.com", "further_names": ["example.com"], "zone_id": "Z0123456789A"},
        "open_to": ["0.0.0.0/0"],
        "idle_timeout": 62,
        "access_log_days": 12,
    },
    "alerts": {"emails": ["them@example.com"]},
    "sleep": {
        "time_zone": "Asia/Taipei",
        "awake_from": "07:00",
        "awake_to": "19:00",
        "days": "SUN-THU",
        "even_protected": True,
    },
    "api_gateway_logging": False,
    "roles": {"boundary": "walls/wall"},
    "image_pull_accounts": ["777788889999"],
}
SERVICE: dict[str, Any] = {
    "image": {"digest": DIGEST, "repository": "777788889999.dkr.ecr.eu-west-1.amazonaws.com/web"},
    "size": {"cpu": 512, "memory": 2048},
    "desired_count": 4,
    "scaling": {"minimum": 3, "maximum": 7, "cpu_percent": 55, "memory_percent": 66, "requests_per_target": 777},
    "sleeps": False,
    "rollout": {"minimum_healthy_percent": 50, "maximum_percent": 150},
    "capacity": [{"provider": "FARGATE_SPOT", "weight": 5, "base": 1}],
    "execute_command": True,
    "log_retention_days": 14,
    "load_balancer": "public",
}
NOT_SAID = {
    "network.adopt",
    # Machines of the cluster's own, and what is on them: `test_instances`.
    "cluster.instances",
    "network_mode",
    "host_port",
    "placement",
    # Not beside requests_per_target, nor all of it with one strategy: `test_deployment`.
    "deployment",
    "image.build",
    "image_registry",
    "workloads",
    "internal_load_balancer.domain.zone_id",
    "public_load_balancer.domain.certificate_arn",
}


class Web(_web.WebWorkload):
    """A workload that adds nothing of its own to its settings."""

    def deploy(self) -> Outputs:
        """Serve it."""
        return self.serve(image=self.image(), port=8080)


def leaves(section: Section, above: str = "") -> Iterator[tuple[str, object]]:
    """Yield each setting's path and value; fail at one that is as it would be anyway."""
    for name, info in type(section).model_fields.items():
        path, value = above + name, getattr(section, name)
        if path in NOT_SAID:
            continue
        parts = {path: value} if isinstance(value, Section) else {}
        if isinstance(value, tuple) and value and isinstance(value[0], Section):
            parts = {f"{path}.{index}": part for index, part in enumerate(value)}
        for part_path, part in parts.items():
            yield from leaves(part, f"{part_path}.")
        if not parts:
            assert info.is_required() or value != info.get_default(call_default_factory=True), path
            yield path, value


def passed(said: dict[str, Any], workloads: dict[str, _web.WebSettings] | None = None) -> dict[str, Any]:
    """Make such a stack; return the platform, and arguments by class and logical name, such as ``Cluster far``."""
    given: dict[str, Any] = {}

    def spy(made: Any) -> Any:
        def make(name: str, args: Any = None, opts: ResourceOptions | None = None) -> Any:
            given[f"{made.__name__} {name}"] = args
            return made(name, args, opts)

        return make

    def build() -> None:
        opts = provider()
        on = given["platform"] = platform(opts, **said)
        for name, section in (workloads or {}).items():
            Web(name, on, section, opts).deploy()

    with contextlib.ExitStack() as spies:
        for module, names in MAKERS.items():
            for name in names:
                spies.enter_context(mock.patch.object(module, name, spy(getattr(module, name))))
        record(build)
    return given


def service(**changed: Any) -> _web.WebSettings:
    return _web.WebSettings.model_validate_json(json.dumps({**SERVICE, **changed}))


def test_every_setting_of_the_platform_arrives() -> None:
    """`idle_timeout` that stays 60 whatever the file says is found out by the first long request."""
    given = passed(STACK, {"web": service(image={"digest": DIGEST})})
    network, cluster = given["Network far"], given["Cluster far"]
    (capacity,) = cluster.capacity
    expected: dict[str, object] = {
        "region": cluster.account.region,
        "allowed_account_ids": (cluster.account.id,),
        "stage": "far",
        "owner": stack(**STACK).tags()["Owner"],
        "cost_center": stack(**STACK).tags()["CostCenter"],
        "protect": given["LoadBalancer far-public"].deletion_protection,
        "network.cidr": network.cidr,
        "network.zones": network.zones,
        "network.nat": network.nat,
        "network.gateway_endpoints": network.gateway_endpoints,
        "network.interface_endpoints": network.interface_endpoints,
        "network.flow_log_days": network.flow_logs.retention_days,
        "cluster.capacity.0.provider": capacity.provider,
        "cluster.capacity.0.weight": capacity.weight,
        "cluster.capacity.0.base": capacity.base,
        "cluster.container_insights": cluster.container_insights,
        "cluster.exec_audit": cluster.exec_audit is not None,
        "alerts.emails": given["Topic alerts"].emails,
        **{f"sleep.{name}": getattr(cluster.sleep, name) for name in ("time_zone", "awake_from", "awake_to", "days")},
        "sleep.even_protected": True,
        "api_gateway_logging": "ApiGatewayLogging api-gateway" in given,
        "roles.boundary": given["platform"].role_bounds.boundary.removeprefix("arn:aws:iam::444455556666:policy/"),
        "image_pull_accounts": given["Repository web"].pull_accounts,
    }
    for kind in ("internal", "public"):
        balancer, logs = given[f"LoadBalancer far-{kind}"], given[f"Bucket far-{kind}-access-logs"]
        for name in ("open_to", "idle_timeout"):
            expected[f"{kind}_load_balancer.{name}"] = getattr(balancer, name)
        for name in ("name", "further_names", "zone_id", "certificate_arn"):
            path = f"{kind}_load_balancer.domain.{name}"
            expected |= {} if path in NOT_SAID else {path: getattr(balancer.domain, name)}
        expected[f"{kind}_load_balancer.access_log_days"] = logs.expire_days
        assert (balancer.internal, logs.force_destroy) == (kind == "internal", True)
    assert dict(leaves(stack(**STACK))) == expected


def test_every_id_of_an_adopted_network_arrives() -> None:
    """A tier that is dropped on the way is missed by the first database."""
    said = stack(network={"adopt": ADOPTED}).network.adopt
    network = passed({"network": {"adopt": ADOPTED}, "internal_load_balancer": {}})[
        "LoadBalancer test-internal"
    ].network
    assert said
    assert dict(leaves(said)) == {name: getattr(network, name) for name in ADOPTED}


def test_every_setting_of_a_service_arrives() -> None:
    """A `requests_per_target` that nobody passes on is a service that does not grow."""
    given = passed(STACK, {"web": service()})
    task, made = given["Task web"], given["Service web"]
    (capacity,) = made.capacity
    assert "Repository web" not in given
    assert dict(leaves(service())) == {
        "image.repository": task.containers[0].image.uri.partition("@")[0],
        "image.digest": task.containers[0].image.uri.partition("@")[2],
        "size.cpu": task.size.cpu,
        "size.memory": task.size.memory,
        "desired_count": made.desired_count,
        "sleeps": made.sleep is not None,
        **{f"scaling.{name}": getattr(made.scaling, name) for name in SERVICE["scaling"]},
        **{f"rollout.{name}": getattr(made.rollout, name) for name in SERVICE["rollout"]},
        "capacity.0.provider": capacity.provider,
        "capacity.0.weight": capacity.weight,
        "capacity.0.base": capacity.base,
        "execute_command": task.exec_on is not None,
        "log_retention_days": task.logs.retention_days,
        "load_balancer": made.entrance.load_balancer.pulumi_resource_name.removeprefix("far-"),
    }


def test_an_image_by_its_digest_alone_is_in_the_stacks_registry() -> None:
    registry = "777788889999.dkr.ecr.eu-west-1.amazonaws.com"
    given = passed({**STACK, "image_registry": registry}, {"web": service(image={"digest": DIGEST})})
    assert "Repository web" not in given
    assert given["Task web"].containers[0].image.uri == f"{registry}/web@{DIGEST}"


def test_an_image_is_built_where_the_section_says_so() -> None:
    """From the sources beside the workload."""
    with mock.patch("components.repository.Repository.build", return_value=Image.at(f"hello@{DIGEST}")) as build:
        passed(STACK, {"web": service(image={"build": True})})
    build.assert_called_once_with("apps/web/service", architecture="X86_64")
