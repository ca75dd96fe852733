"""The correction of where tasks on EC2 run: on container instances of the cluster, and behind their ports.

The emulator knows no container instances. It starts a task for EC2 wherever it is, however many instances there may be,
and registers it with its load balancer under the container's own port.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
import itertools
import json
import threading
import time
from collections import Counter
from typing import Any, Final

alb: Any = importlib.import_module("ministack.services.alb")
autoscaling: Any = importlib.import_module("ministack.services.autoscaling")
ecs: Any = importlib.import_module("ministack.services.ecs")

_FIRST_DYNAMIC: Final = 32768
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html"""
_LOOKED_EVERY: Final = 0.1
"""Seconds between two looks of a task for an instance with room for it."""

_lock = threading.Lock()
_instances: dict[str, dict[str, Any]] = {}
"""ARN → container instance, as DescribeContainerInstances has it."""


def place_on_instances() -> None:
    """Have a task whose capacity provider scales a group wait for an instance of it that has its host ports free.

    It waits as PROVISIONING, as ECS has it, and each time that there is no room the group grows by one instance, up to
    its maximum: managed scaling, without CloudWatch's minutes. An instance is one once its agent has registered it.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/asg-capacity-providers.html
    """
    start = ecs._start_task_worker

    def started(task: dict[str, Any], definition: dict[str, Any], *rest: Any) -> None:
        provider: dict[str, Any] = ecs._capacity_providers.get(task.get("capacityProviderName") or "", {})
        group = _group(provider)
        if group is not None:
            bindings = _asked(definition)
            while ecs._task_is_active(task["taskArn"], task):
                if _place(task, bindings, group):
                    break
                time.sleep(_LOOKED_EVERY)
        start(task, definition, *rest)

    ecs._start_task_worker = started
    for action, answer in _ACTIONS.items():
        ecs._ACTION_MAP[action] = answer


def lead_to_host_ports() -> None:
    """Register a task that has a host port under it, and lead what is sent to that port to the container's.

    The address stays the task's own, which stands for its instance's: none of the loopback ones has two tasks.
    """
    register, proxy = alb.set_targets_for_group, alb._proxy_http_target

    def registered(group: str, targets: list[tuple[str, int]], *rest: Any) -> Any:
        return register(group, [(address, host_port(address, port)) for address, port in targets], *rest)

    async def proxied(target: dict[str, Any], group: dict[str, Any], *request: Any) -> Any:
        port = int(target.get("Port") or group.get("Port") or 80)
        return await proxy({**target, "Port": container_port(str(target["Id"]), port)}, group, *request)

    alb.set_targets_for_group = registered
    alb._proxy_http_target = proxied


def host_port(address: str, port: int) -> int:
    """Return the host port that leads to the container's *port* of the task at *address*; that one without any."""
    return next((each["hostPort"] for each in _bindings_at(address) if each["containerPort"] == port), port)


def container_port(address: str, port: int) -> int:
    """Return the container's port that host *port* leads to, of the task at *address*; that one without any."""
    return next((each["containerPort"] for each in _bindings_at(address) if each["hostPort"] == port), port)


def _bindings_at(address: str) -> list[dict[str, Any]]:
    tasks = [task for task in list(ecs._tasks.values()) if ecs._task_ip(task) == address]
    return [binding for task in tasks for each in task["containers"] for binding in each["networkBindings"]]


def _asked(definition: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return what each container of *definition* asks of its instance's ports: 0 for any."""
    mode = definition.get("networkMode", "bridge")
    said: dict[str, list[dict[str, Any]]] = {
        each["name"]: each.get("portMappings", []) if mode in ("bridge", "host") else []
        for each in definition["containerDefinitions"]
    }
    return {
        name: [
            {
                "bindIP": "0.0.0.0",  # what ECS answers
                "protocol": each.get("protocol", "tcp"),
                "containerPort": each["containerPort"],
                "hostPort": each["containerPort"] if mode == "host" else each.get("hostPort", 0),
            }
            for each in mappings
        ]
        for name, mappings in said.items()
    }


def _place(task: dict[str, Any], asked: dict[str, list[dict[str, Any]]], group: dict[str, Any]) -> bool:
    """Put *task* on the instance of *group* with the fewest tasks that has the ports *asked* for; or have it grow."""
    with _lock:
        tasks = [each for each in ecs._tasks.values() if each["lastStatus"] != "STOPPED" and each is not task]
        on = Counter(each["containerInstanceArn"] for each in tasks)
        mine = {each["InstanceId"] for each in group["Instances"]}
        there = [
            arn
            for arn, each in _instances.items()
            if each["ec2InstanceId"] in mine and each["_cluster"] == task["clusterArn"]
        ]
        wanted = {each["hostPort"] for mappings in asked.values() for each in mappings} - {0}
        for arn in sorted(there, key=lambda each: on[each]):
            taken = {
                binding["hostPort"]
                for each in tasks
                if each["containerInstanceArn"] == arn
                for container in each["containers"]
                for binding in container["networkBindings"]
            }
            if not wanted & taken:
                _bind(task, arn, asked, taken)
                return True
        if len(there) == len(mine) and group["DesiredCapacity"] < group["MaxSize"]:
            group["DesiredCapacity"] += 1
            autoscaling._reconcile_instances(group)
        return False


def _bind(task: dict[str, Any], arn: str, asked: dict[str, list[dict[str, Any]]], taken: set[int]) -> None:
    free = (port for port in itertools.count(_FIRST_DYNAMIC) if port not in taken)
    task["containerInstanceArn"] = arn
    for container in task["containers"]:
        container["networkBindings"] = [
            {**each, "hostPort": each["hostPort"] or next(free)} for each in asked[container["name"]]
        ]


def _group(provider: dict[str, Any]) -> dict[str, Any] | None:
    """Return the Auto Scaling group of a capacity *provider*, if it has one."""
    arn = provider.get("autoScalingGroupProvider", {}).get("autoScalingGroupArn")
    return next((each for each in autoscaling._asgs.values() if each["AutoScalingGroupARN"] == arn), None)


def _register(data: dict[str, Any]) -> Any:
    cluster: dict[str, Any] = ecs._clusters.get(ecs._resolve_cluster_name(data.get("cluster", "default"))) or {}
    if not cluster:
        return ecs.error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
    instance = json.loads(data["instanceIdentityDocument"])["instanceId"]
    arn = f"{cluster['clusterArn'].replace(':cluster/', ':container-instance/')}/{ecs.new_uuid()}"
    _instances[arn] = {
        "containerInstanceArn": arn,
        "ec2InstanceId": instance,
        "status": "ACTIVE",
        "agentConnected": True,
        "registeredAt": ecs._iso(),
        "_cluster": cluster["clusterArn"],
    }
    return ecs.json_response({"containerInstance": _told(_instances[arn])})


def _list(data: dict[str, Any]) -> Any:
    cluster: dict[str, Any] = ecs._clusters.get(ecs._resolve_cluster_name(data.get("cluster", "default"))) or {}
    arns = [arn for arn, each in _instances.items() if each["_cluster"] == cluster.get("clusterArn")]
    return ecs.json_response({"containerInstanceArns": arns})


def _describe(data: dict[str, Any]) -> Any:
    named = {each.rpartition("/")[2]: each for each in data.get("containerInstances", [])}
    found = {arn.rpartition("/")[2]: each for arn, each in _instances.items()}
    return ecs.json_response(
        {
            "containerInstances": [_told(found[each]) for each in named if each in found],
            "failures": [{"arn": named[each], "reason": "MISSING"} for each in named if each not in found],
        }
    )


def _told(instance: dict[str, Any]) -> dict[str, Any]:
    tasks = [each for each in ecs._tasks.values() if each["containerInstanceArn"] == instance["containerInstanceArn"]]
    running = sum(each["lastStatus"] == "RUNNING" for each in tasks)
    return {key: value for key, value in instance.items() if not key.startswith("_")} | {"runningTasksCount": running}


_ACTIONS: Final = {
    "RegisterContainerInstance": _register,
    "ListContainerInstances": _list,
    "DescribeContainerInstances": _describe,
}
