"""The corrections of how ECS rolls a new version of a service out: by what its tasks do, and told as ECS tells it.

The emulator starts new tasks beside the old, trips the circuit breaker and rolls back. But it takes a process that has
lived for a second for a healthy task, looks at no alarm, and says nothing of its service deployments.
The first deployment of a service is let alone: the emulator calls it completed, and the rehearsal itself watches it.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import contextlib
import importlib
import time
from typing import Any, Final

from rehearsal.emulator import draining

concurrency: Any = importlib.import_module("ministack.core.concurrency")
alb: Any = importlib.import_module("ministack.services.alb")
ecs: Any = importlib.import_module("ministack.services.ecs")

_LOOKED_EVERY: Final = 0.1
_SURVIVED: Final = 1.0
"""Seconds after which a task that nothing checks is taken for healthy: the emulator's own."""
_BAKE: Final = 2.0
"""Seconds for which a new version's alarms are looked at once its tasks are healthy; in AWS, minutes."""
_LONGEST: Final = 15.0
"""Seconds, at most, that a task has until it must be healthy where its load balancer's checks leave it more."""
_OK: Final = 200


def complete_when_healthy() -> None:
    """Count a new task once its health checks and its load balancers' have passed, and replace it where they fail.

    A task that fails one is stopped, and counts for the circuit breaker as one that ended by itself does. Where that
    trips and may not roll back, the old version goes on.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    complete, reconcile = ecs._complete_service_deployment, ecs._reconcile_service_tasks

    def reconciled(cluster: str, key: str) -> None:
        service: dict[str, Any] = ecs._services.get(key, {})
        failed = (_primary(service) or {}).get("rolloutState") == "FAILED"
        if failed and service["desiredCount"]:
            ecs._refresh_service_state(cluster, f"service:{service['serviceName']}")  # what runs is let run
        else:
            reconcile(cluster, key)

    def scheduled(cluster: str, key: str, *_: Any, healthy_task: dict[str, Any] | None = None) -> None:
        if healthy_task:
            concurrency.spawn_background(_follow, cluster, key, healthy_task, thread_name="task health")
        else:  # the old version is back: its tasks run already
            ecs._complete_service_deployment(cluster, key)

    def completed(cluster: str, key: str, expected_deployment_id: str | None = None) -> None:
        service: dict[str, Any] = ecs._services.get(key, {})
        if _bakes(service):
            return
        before = (_primary(service) or {}).get("rolloutState")
        complete(cluster, key, expected_deployment_id)
        if before == "IN_PROGRESS" and (_primary(service) or {}).get("rolloutState") == "COMPLETED":
            draining.tell(service, "has reached a steady state.")

    ecs._reconcile_service_tasks = reconciled
    ecs._schedule_service_deployment_completion = scheduled
    ecs._complete_service_deployment = completed


def fail_at_an_alarm() -> None:
    """Fail a deployment, and roll back, where one of the service's alarms goes off before it has settled.

    Alarms that were on before it began are not looked at.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """
    update = ecs._ACTION_MAP["UpdateService"]

    def updated(data: dict[str, Any]) -> Any:
        watched = _alarms(_service(data) | {name: data[name] for name in ("deploymentConfiguration",) if name in data})
        quiet = bool(watched) and not any(_is_on(each) for each in watched)
        before = _primary(_service(data))
        answer = update(data)
        service = _service(data)
        deployment = _primary(service)
        if quiet and deployment and deployment is not before and deployment["rolloutState"] == "IN_PROGRESS":
            deployment["_alarms"] = True
            concurrency.spawn_background(_watch, data, service, deployment, thread_name="deployment alarms")
        return answer

    ecs._ACTION_MAP["UpdateService"] = updated


def tell_of_deployments() -> None:
    """Answer ListServiceDeployments with what became of each deployment; the emulator knows of none.

    And answer DescribeServices between two states of a deployment, not in the middle of one.
    """
    listed: dict[str, list[dict[str, Any]]] = {}

    def noting(action: str) -> None:
        act = ecs._ACTION_MAP[action]

        def acted(data: dict[str, Any]) -> Any:
            answer = act(data)
            service = _service(data)
            newest = next(iter(service.get("deployments", ())), None)
            made = listed.setdefault(service.get("serviceArn", ""), [])
            if answer[0] == _OK and newest and newest not in made:
                made.insert(0, newest)
            return answer

        ecs._ACTION_MAP[action] = acted

    def told(data: dict[str, Any]) -> Any:
        service = _service(data)
        if not service:
            return ecs.error_response_json("ServiceNotFoundException", "Service not found.", 400)
        with concurrency.resource_lock("ecs-service", _key(data)):
            said = [_brief(service, each) for each in listed.get(service["serviceArn"], ())]
        wanted = data.get("status")
        return ecs.json_response(
            {"serviceDeployments": [each for each in said if not wanted or each["status"] in wanted]}
        )

    describe = ecs._ACTION_MAP["DescribeServices"]

    def described(data: dict[str, Any]) -> Any:
        # A rollback is several steps, of which nobody is to see some alone.
        with contextlib.ExitStack() as held:
            for key in sorted({_key(data | {"service": each}) for each in data.get("services", [])}):
                held.enter_context(concurrency.resource_lock("ecs-service", key))
            return describe(data)

    ecs._ACTION_MAP["DescribeServices"] = described
    noting("CreateService")
    noting("UpdateService")
    ecs._ACTION_MAP["ListServiceDeployments"] = told


def _follow(cluster: str, key: str, task: dict[str, Any]) -> None:
    """Look at a new *task* until it is healthy, or is to be replaced."""
    started = time.monotonic()
    while ecs._task_is_active(task["taskArn"], task) and task["lastStatus"] == "RUNNING":
        service: dict[str, Any] = ecs._services.get(key, {})
        if service.get("status") != "ACTIVE":
            return
        waits = _waits_for(service, task, time.monotonic() - started)
        if not waits:
            ecs._record_service_task_healthy(key, task)
            ecs._refresh_service_state(cluster, task["group"])
            # There may be room for another now; one deployment's task completes no other.
            ecs._reconcile_service_tasks(cluster, key)
            ecs._complete_service_deployment(cluster, key, task.get("_deployment_id"))
            return
        if waits.startswith("Task failed"):
            _replace(service, task, waits)
            return
        time.sleep(_LOOKED_EVERY)


def _waits_for(service: dict[str, Any], task: dict[str, Any], seconds: float) -> str:
    """Return what *task* of *service* lacks to be healthy after *seconds*; ECS's reason where it has failed."""
    healths = _healths(task)
    if "unhealthy" in healths:
        return "Task failed container health checks"
    address = ecs._task_ip(task)
    for arn in [each["targetGroupArn"] for each in service.get("loadBalancers") or () if each.get("targetGroupArn")]:
        group: dict[str, Any] = alb._tgs.get(arn, {})
        registered = [each for each in alb._targets.get(arn, []) if each["Id"] == address]
        if not registered or not draining.is_healthy(group, registered[0]):
            interval = int(group.get("HealthCheckIntervalSeconds", 30)) * int(group.get("UnhealthyThresholdCount", 2))
            if seconds > min(_LONGEST, int(service.get("healthCheckGracePeriodSeconds") or 0) + interval):
                return f"Task failed ELB health checks in (target-group {arn})"
            return "its load balancer"
    if "starting" in healths:
        return "its health check"
    return "" if healths or service.get("loadBalancers") or seconds > _SURVIVED else "a second"


def _healths(task: dict[str, Any]) -> list[str]:
    """Return what Docker says of the health checks of *task*'s containers; of those that have none, nothing."""
    found: list[str] = []
    for docker_id in task.get("_docker_ids") or ():
        try:
            health: dict[str, str] = ecs._get_docker().containers.get(docker_id).attrs["State"].get("Health") or {}
        except Exception:  # noqa: BLE001, S112 - it is gone, which the emulator itself finds at its next look
            continue
        found += [health["Status"]] if health.get("Status") in ("starting", "healthy", "unhealthy") else []
    return found


def _replace(service: dict[str, Any], task: dict[str, Any], reason: str) -> None:
    draining.tell(service, f"(task {task['taskArn'].rpartition('/')[2]}) failed: {reason}.")
    if ecs._mark_task_stopped(task["taskArn"], task, reason, "ServiceSchedulerInitiated"):
        ecs._cleanup_task_resources(task, ecs._get_docker())
        ecs._record_service_task_failure(task)


def _watch(data: dict[str, Any], service: dict[str, Any], deployment: dict[str, Any]) -> None:
    settled = 0.0
    while deployment["rolloutState"] == "IN_PROGRESS" and _primary(service) is deployment:
        if on := [each for each in _alarms(service) if _is_on(each)]:
            with concurrency.resource_lock("ecs-service", _key(data)):
                _fail(service, deployment, f"Service deployment failed: alarm detected: {', '.join(on)}")
            break
        settled = settled or (time.monotonic() if _is_settled(service, deployment) else 0.0)
        if settled and time.monotonic() - settled > _BAKE:
            break
        time.sleep(_LOOKED_EVERY)
    deployment["_alarms"] = False
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    ecs._reconcile_service_tasks(cluster, _key(data))
    ecs._complete_service_deployment(cluster, _key(data))


def _fail(service: dict[str, Any], deployment: dict[str, Any], reason: str) -> None:
    """Do to *deployment* what the emulator's circuit breaker does."""
    deployment |= {"rolloutState": "FAILED", "rolloutStateReason": reason, "desiredCount": 0}
    draining.tell(service, f"(deployment {deployment['id']}) deployment failed: alarm detected.")
    others = (each for each in service["deployments"] if each is not deployment)
    before = next((each for each in others if each["rolloutState"] == "COMPLETED"), None)
    if before and service["deploymentConfiguration"]["alarms"].get("rollback"):
        deployment["status"] = "ACTIVE"
        why = "ECS deployment rollback in progress."
        wanted = {"status": "PRIMARY", "rolloutState": "IN_PROGRESS", "rolloutStateReason": why}
        before |= {**wanted, "desiredCount": service["desiredCount"]}
        service["taskDefinition"] = before["taskDefinition"]
        draining.tell(service, f"rolling back to deployment {before['id']}.")


def _brief(service: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
    primary = _primary(service) or {}
    state = deployment["rolloutState"]
    status = {"COMPLETED": "SUCCESSFUL", "IN_PROGRESS": "IN_PROGRESS", "FAILED": "STOPPED"}[state]
    if state == "FAILED" and primary is not deployment:
        status = "ROLLBACK_IN_PROGRESS" if primary.get("rolloutState") == "IN_PROGRESS" else "ROLLBACK_SUCCESSFUL"
    told = {
        "serviceDeploymentArn": service["serviceArn"].replace(":service/", ":service-deployment/", 1)
        + f"/{deployment['id'].rpartition('/')[2]}",
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": deployment["createdAt"],
        "startedAt": deployment["createdAt"],
        "status": status,
        "statusReason": deployment["rolloutStateReason"],
    }
    return told | ({} if status.endswith("IN_PROGRESS") else {"finishedAt": deployment["updatedAt"]})


def _service(data: dict[str, Any]) -> dict[str, Any]:
    """Return the service that a request names; empty if there is none."""
    return ecs._services.get(_key(data), {})


def _key(data: dict[str, Any]) -> str:
    """Return what the emulator knows the service by that a request names; empty if it names none."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    name = ecs._resolve_service_ref(data.get("service") or data.get("serviceName") or "")
    return f"{cluster}/{name[0]}" if name else ""


def _primary(service: dict[str, Any]) -> dict[str, Any] | None:
    return next((each for each in service.get("deployments", ()) if each["status"] == "PRIMARY"), None)


def _bakes(service: dict[str, Any]) -> bool:
    return bool((_primary(service) or {}).get("_alarms"))


def _is_settled(service: dict[str, Any], deployment: dict[str, Any]) -> bool:
    healthy = [
        task
        for task in ecs._tasks.values()
        if task.get("_deployment_id") == deployment["id"]
        and task["lastStatus"] == "RUNNING"
        and task.get("_startup_stable")
    ]
    return len(healthy) >= service["desiredCount"]


def _alarms(service: dict[str, Any]) -> list[str]:
    said: dict[str, Any] = service.get("deploymentConfiguration", {}).get("alarms") or {}
    return said.get("alarmNames", []) if said.get("enable") else []


def _is_on(name: str) -> bool:
    cloudwatch: Any = importlib.import_module("ministack.services.cloudwatch")
    alarm: dict[str, Any] = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name) or {}
    return alarm.get("StateValue") == "ALARM"
