"""The corrections of what a load balancer does while tasks come and go: a new one waits, an old one finishes.

The emulator sends requests to a target from the moment it is registered, whether or not it listens yet, and sends a
task SIGTERM with its requests still under way. A rolling update that loses none in an account would lose some here.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import contextlib
import importlib
import random
import threading
import time
from collections import Counter
from typing import Any, Final

from rehearsal.emulator import target_health

concurrency: Any = importlib.import_module("ministack.core.concurrency")
responses: Any = importlib.import_module("ministack.core.responses")
alb: Any = importlib.import_module("ministack.services.alb")
ecs: Any = importlib.import_module("ministack.services.ecs")

_PROBED_EVERY: Final = 0.1
"""Seconds between the probes of a target that has not passed yet."""
_CHOSEN: Final = 0.2
"""Seconds within which a request that was given a target before its end has reached it."""
_LOOKED_EVERY: Final = 0.05
_DELAY: Final = 300.0
"""AWS's own deregistration delay, in seconds."""

Target = tuple[str, str, int]
"""A target group's ARN, an address and a port."""

_lock = threading.Lock()
_probed: set[Target] = set()
_healthy: set[Target] = set()
_under_way: Counter[Target] = Counter()


def is_healthy(group: dict[str, Any], target: dict[str, Any]) -> bool:
    """Whether *target* has passed its group's health check since its registration; the first question has it probed."""
    known = _known(group, target)
    with _lock:
        if known in _probed:
            return known in _healthy
        _probed.add(known)
    concurrency.spawn_background(_probe, group, target, thread_name="target health")
    return False


def route_to_the_healthy() -> None:
    """Send requests to healthy targets alone, or to all where none is; and count those under way.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    forward, proxy = alb._forward_to_tg, alb._proxy_http_target

    async def forwarded(
        arn: str, method: str, path: str, headers: Any, body: Any, query: Any,
        raw_query_string: Any = None, raw_path: Any = None,
    ) -> Any:  # fmt: skip
        group, targets = alb._tgs.get(arn), alb._targets.get(arn, [])
        if not group or not targets or group.get("TargetType", "instance") not in ("instance", "ip"):
            return await forward(arn, method, path, headers, body, query, raw_query_string, raw_path)
        healthy = [each for each in targets if is_healthy(group, each)]
        target = random.choice(healthy or targets)  # noqa: S311 - it guards nothing
        return await proxied(target, group, method, raw_path or path, headers, body, query, raw_query_string)

    async def proxied(target: dict[str, Any], group: dict[str, Any], *request: Any) -> Any:
        with contextlib.ExitStack() as counted:
            counted.enter_context(_counted(_known(group, target)))
            status, headers, answer = await proxy(target, group, *request)
            if not isinstance(answer, responses.StreamingResponse):
                return status, headers, answer
            passed_on, rest = answer.runner, counted.pop_all()

        async def ran(send: Any, receive: Any) -> None:
            with rest:  # until its last byte
                await passed_on(send, receive)

        return status, headers, responses.StreamingResponse(ran)

    alb._forward_to_tg = forwarded


def drain_before_stopping() -> None:
    """Take a service's task out of its load balancers, wait for its requests' end, and only then send it SIGTERM.

    As ECS does, for a deregistration delay at most; its containers' exit codes are their own.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """
    stop = ecs._stop_task

    def stopped(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        task: dict[str, Any] = ecs._resolve_task(data.get("task", ""), cluster) or {}
        name = str(task.get("group", "")).removeprefix("service:")
        service: dict[str, Any] | None = ecs._services.get(f"{cluster}/{name}")
        if not service or not ecs._get_docker() or task["lastStatus"] not in ("RUNNING", "DEACTIVATING"):
            return stop(data)
        with concurrency.resource_lock("ecs-task", task["taskArn"]):
            begins = ecs._task_is_active(task["taskArn"], task)
            # It is what ListTasks asks for, and nobody takes the end of its containers for an end of their own.
            task["desiredStatus"], task["lastStatus"] = "STOPPED", "DEACTIVATING"
        if begins:
            targets = _targets_of(task, service)
            ecs._refresh_service_state(cluster, task["group"])  # which takes it out: it runs no more
            if targets:
                tell(service, f"has begun draining connections on {len(targets)} tasks.")
            concurrency.spawn_background(_end, task, targets, thread_name="task draining")
        return ecs.json_response({"task": ecs._sanitize(task)})

    ecs._stop_task = stopped


def tell(service: dict[str, Any], message: str) -> None:
    """Add an event of *service*, the newest first."""
    event = {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": f"(service {service['serviceName']}) {message}"}
    service["events"].insert(0, event)


def _end(task: dict[str, Any], targets: list[Target]) -> None:
    delay = max((_delay(arn) for arn, *_ in targets), default=0)
    deadline = time.monotonic() + delay
    time.sleep(_CHOSEN if targets else 0)
    while any(_under_way[each] for each in targets) and time.monotonic() < deadline:
        time.sleep(_LOOKED_EVERY)
    for container, docker_id in zip(task["containers"], task.get("_docker_ids") or (), strict=False):
        with contextlib.suppress(Exception):  # one that is gone has no code to tell
            running = ecs._get_docker().containers.get(docker_id)
            running.stop()
            container["exitCode"] = running.wait()["StatusCode"]
    task["desiredStatus"] = "RUNNING"  # or the emulator would find nothing to stop
    reason = f"Scaling activity initiated by (deployment {task.get('_deployment_id')})"
    ecs._mark_task_stopped(task["taskArn"], task, reason, "ServiceSchedulerInitiated")
    ecs._cleanup_task_resources(task, ecs._get_docker())


def _probe(group: dict[str, Any], target: dict[str, Any]) -> None:
    known = _known(group, target)
    while any(_known(group, each) == known for each in alb._targets.get(known[0], [])):
        if known not in _healthy and target_health.fault(group, target) is None:
            with _lock:
                _healthy.add(known)
        time.sleep(_PROBED_EVERY)
    with _lock:  # it is gone: the next of its address is another
        _probed.discard(known)
        _healthy.discard(known)


@contextlib.contextmanager
def _counted(target: Target) -> Any:
    with _lock:
        _under_way[target] += 1
    try:
        yield
    finally:
        with _lock:
            _under_way[target] -= 1


def _known(group: dict[str, Any], target: dict[str, Any]) -> Target:
    return group["TargetGroupArn"], str(target["Id"]), int(target.get("Port") or group.get("Port", 80))


def _targets_of(task: dict[str, Any], service: dict[str, Any]) -> list[Target]:
    """Return what *task* of *service* is registered as."""
    address = ecs._task_ip(task)
    groups = [each["targetGroupArn"] for each in service.get("loadBalancers") or () if each.get("targetGroupArn")]
    return [
        _known(alb._tgs[arn], each) for arn in groups for each in alb._targets.get(arn, []) if each["Id"] == address
    ]


def _delay(arn: str) -> float:
    attributes: list[dict[str, str]] = alb._tg_attrs.get(arn, [])
    said = [each["Value"] for each in attributes if each["Key"] == "deregistration_delay.timeout_seconds"]
    return float(said[0]) if said else _DELAY
