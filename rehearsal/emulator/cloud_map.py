"""The corrections of Cloud Map: ECS registers a service's tasks there, and only the healthy are found.

The emulator's ECS keeps a service's registries and does nothing with them: whoever looked for a task would find none.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
import json
from typing import Any, Final

concurrency: Any = importlib.import_module("ministack.core.concurrency")
iam_actions: Any = importlib.import_module("ministack.core.iam_actions")
iam_evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
ecs: Any = importlib.import_module("ministack.services.ecs")
servicediscovery: Any = importlib.import_module("ministack.services.servicediscovery")

_DISCOVER: Final = "servicediscovery:DiscoverInstances"
_OK: Final = 200


def register_tasks() -> None:
    """Keep a service's running tasks registered in the Cloud Map services that it names, each with its health.

    ECS registers a task as it runs, tells a container health check's verdict where the Cloud Map service takes one, and
    deregisters it as it stops. A task whose health check has not passed yet is unhealthy there.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
    """
    sync, look = ecs._sync_service_targets, ecs._maybe_mark_stopped

    def synced(cluster_name: str, service: dict[str, Any]) -> None:
        sync(cluster_name, service)
        for registry in service.get("serviceRegistries") or ():
            _publish(service, registry)

    def looked(task: dict[str, Any], *rest: Any) -> None:
        look(task, *rest)
        if task.get("lastStatus") == "RUNNING":
            _tell_health(task)

    ecs._sync_service_targets = synced  # called at each change of a task's state
    ecs._maybe_mark_stopped = looked  # called for each running task ten times a second


def _publish(service: dict[str, Any], registry: dict[str, Any]) -> None:
    """Register the running tasks of *service* in *registry*, and deregister those that run no more."""
    registry_id = _id(registry)
    with concurrency.resource_lock("cloud-map", registry_id):
        running = {_id_of(task): task for task in _running(service)}
        known: list[str] = service.setdefault("_registered_tasks", {}).setdefault(registry_id, [])
        for gone in [each for each in known if each not in running]:
            servicediscovery._deregister_instance({"ServiceId": registry_id, "InstanceId": gone})
            known.remove(gone)
        for new in [each for each in running if each not in known]:
            attributes = _attributes(running[new], service, registry)
            instance = {"ServiceId": registry_id, "InstanceId": new, "Attributes": attributes}
            if servicediscovery._register_instance(instance)[0] == _OK:
                if health := attributes.get("AWS_INIT_HEALTH_STATUS"):
                    _set_health(registry_id, new, health)
                known.append(new)


def _running(service: dict[str, Any]) -> list[dict[str, Any]]:
    group, cluster = f"service:{service['serviceName']}", service["clusterArn"]
    return [
        task
        for task in ecs._tasks.values()
        if (task.get("group"), task.get("clusterArn"), task.get("lastStatus")) == (group, cluster, "RUNNING")
        and ecs._task_ip(task)
    ]


def _attributes(task: dict[str, Any], service: dict[str, Any], registry: dict[str, Any]) -> dict[str, str]:
    port = registry.get("port") or registry.get("containerPort")
    health = "UNHEALTHY" if any(_checks(task)) else "HEALTHY"
    return {
        "AWS_INSTANCE_IPV4": ecs._task_ip(task),
        **({"AWS_INSTANCE_PORT": str(port)} if port else {}),
        **({"AWS_INIT_HEALTH_STATUS": health} if _takes_health(_id(registry)) else {}),
        "AVAILABILITY_ZONE": task["availabilityZone"],
        "REGION": service["serviceArn"].split(":")[3],
        "ECS_CLUSTER_NAME": service["clusterArn"].rpartition("/")[2],
        "ECS_SERVICE_NAME": service["serviceName"],
        "ECS_TASK_DEFINITION_FAMILY": task["taskDefinitionArn"].rpartition("/")[2].partition(":")[0],
    }


def _tell_health(task: dict[str, Any]) -> None:
    name = f"{task['clusterArn'].rpartition('/')[2]}/{task['group'].removeprefix('service:')}"
    service: dict[str, Any] = ecs._services.get(name, {})
    for registry in service.get("serviceRegistries", ()) if any(_checks(task)) else ():
        registry_id, instance = _id(registry), _id_of(task)
        statuses: dict[str, str] = servicediscovery._instance_health_status.get(registry_id, {})
        before = statuses.get(instance)
        if before and _takes_health(registry_id) and (now := _health(task)) != before:
            with concurrency.resource_lock("cloud-map", registry_id):
                _set_health(registry_id, instance, now)


def _checks(task: dict[str, Any]) -> list[bool]:
    """Return of each of the task's containers whether its health check makes the task's health."""
    definition: dict[str, Any] = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"]), {})
    containers: list[dict[str, Any]] = definition.get("containerDefinitions", [])
    return [
        "healthCheck" in each and each["healthCheck"]["command"] != ["NONE"] and each.get("essential", True)
        for each in containers
    ]


def _health(task: dict[str, Any]) -> str:
    """Return ``HEALTHY`` once each of its health checks has passed, and for as long as each does."""
    docker, docker_ids = ecs._get_docker(), task["_docker_ids"]
    for checked, docker_id in zip(_checks(task), docker_ids, strict=False):
        try:
            if checked and docker.containers.get(docker_id).attrs["State"]["Health"]["Status"] != "healthy":
                return "UNHEALTHY"
        except Exception:  # noqa: BLE001 - it is gone, which the emulator itself finds at its next look
            return "UNHEALTHY"
    return "HEALTHY"


def _set_health(registry_id: str, instance: str, status: str) -> None:
    """Set it, unless the instance is gone meanwhile."""
    told = {"ServiceId": registry_id, "InstanceId": instance, "Status": status}
    servicediscovery._update_instance_custom_health_status(told)


def _takes_health(registry_id: str) -> bool:
    """Whether the service has a custom health check, empty or not; without one every instance is healthy."""
    service: dict[str, Any] = servicediscovery._services.get(registry_id, {})
    return service.get("HealthCheckCustomConfig") is not None


def _id(registry: dict[str, Any]) -> str:
    return str(registry["registryArn"]).rpartition("/")[2]


def _id_of(task: dict[str, Any]) -> str:
    return str(task["taskArn"]).rpartition("/")[2]


def find_the_healthy() -> None:
    """Let DiscoverInstances answer with the healthy, or with all where none is, unless it is asked for others.

    The emulator answers with all by default, and with none to the default's own name.
    https://docs.aws.amazon.com/cloud-map/latest/api/API_DiscoverInstances.html
    """
    discover = servicediscovery._discover_instances

    def discovered(data: dict[str, Any]) -> Any:
        if data.get("HealthStatus", "HEALTHY_OR_ELSE_ALL") != "HEALTHY_OR_ELSE_ALL":
            return discover(data)
        healthy = discover({**data, "HealthStatus": "HEALTHY"})
        if healthy[0] != _OK or json.loads(healthy[2])["Instances"]:
            return healthy
        return discover({**data, "HealthStatus": "ALL"})

    servicediscovery._discover_instances = discovered


def name_what_is_discovered() -> None:
    """Match DiscoverInstances on the service and the namespace that it names; the emulator matches it on ``*`` alone.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudmap.html
    """
    extract, enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extracted(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        if service == "servicediscovery" and headers.get("x-amz-target", "").endswith(".DiscoverInstances"):
            asked = json.loads(body or b"{}")
            for namespace in servicediscovery._namespaces.values():
                for found in servicediscovery._services.values():
                    names = (namespace["Name"], found["Name"])
                    if names == (asked.get("NamespaceName"), asked.get("ServiceName")) and _is_in(found, namespace):
                        return found["Arn"]
        return extract(service, method, path, headers, body, *rest)

    def enforced(key: str, action: str, service: str, region: str, resource_arn: str = "*", **named: Any) -> Any:
        refusal = enforce(key, action, service, region, resource_arn, **named)
        if refusal or action != _DISCOVER or resource_arn == "*":
            return refusal
        namespace = servicediscovery._services[resource_arn.rpartition("/")[2]]["NamespaceId"]
        return enforce(key, action, service, region, servicediscovery._namespaces[namespace]["Arn"], **named)

    iam_actions.extract_resource_arn = extracted
    iam_evaluator.enforce = enforced


def _is_in(service: dict[str, Any], namespace: dict[str, Any]) -> bool:
    return service["NamespaceId"] == namespace["Id"]
