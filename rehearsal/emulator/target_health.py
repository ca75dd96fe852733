"""The correction that a load balancer's targets are healthy when they answer, not because they were registered.

The emulator calls every registered target healthy. A wrong health check path, port or matcher would thus pass, and the
first request could come before the workload listens.
"""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import asyncio
import http.client
import importlib
import socket
from typing import Any, cast
from urllib.parse import parse_qs

from rehearsal.emulator import container_instances

alb: Any = importlib.import_module("ministack.services.alb")


def probe_targets() -> None:
    """Make DescribeTargetHealth probe each target as its group's health check says, once, now.

    AWS probes every interval and wants a number of passes; one pass shows the same, sooner.
    """
    handle = alb.handle_request

    async def handled(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        status, answer_headers, answer = await handle(method, path, headers, body, query_params)
        asked = parse_qs((body or b"").decode())
        if status == 200 and asked.get("Action") == ["CreateTargetGroup"]:  # noqa: PLR2004
            _keep_what_is_spoken(asked)
        if status != 200 or asked.get("Action") != ["DescribeTargetHealth"]:  # noqa: PLR2004
            return status, answer_headers, answer
        group = alb._tgs[asked["TargetGroupArn"][0]]
        text = answer.decode()
        for target in alb._targets.get(group["TargetGroupArn"], []):
            # In a thread: the target may well call the emulator before it answers.
            said = await asyncio.to_thread(fault, group, target)
            if said:
                text = _unhealthy(text, target, group, said)
        return status, answer_headers, text.encode()

    alb.handle_request = handled


def _keep_what_is_spoken(asked: dict[str, list[str]]) -> None:
    """Note what the emulator forgets of a new target group, or a group of gRPC would be probed as one of HTTP/1.1."""
    (group,) = [each for each in alb._tgs.values() if [each["TargetGroupName"]] == asked["Name"]]
    group["ProtocolVersion"] = asked.get("ProtocolVersion", ["HTTP1"])[0]
    group["Matcher"] |= {"GrpcCode": asked["Matcher.GrpcCode"][0]} if "Matcher.GrpcCode" in asked else {}


def fault(group: dict[str, Any], target: dict[str, Any]) -> tuple[str, str] | None:
    """Return AWS's reason and description of why *target* is unhealthy; None if it is healthy."""
    port = group.get("HealthCheckPort", "traffic-port")
    said = int(_port(group, target) if port == "traffic-port" else port)
    address = (target["Id"], container_instances.container_port(target["Id"], said))
    timeout = int(group.get("HealthCheckTimeoutSeconds", 5))
    try:
        if group.get("HealthCheckProtocol", "HTTP") not in ("HTTP", "HTTPS"):
            socket.create_connection(address, timeout).close()
            return None
        if group.get("ProtocolVersion") == "GRPC":
            return _fault_of_grpc(group, address, timeout)
        connection = http.client.HTTPConnection(*address, timeout=timeout)
        connection.request("GET", group.get("HealthCheckPath", "/"), headers={"User-Agent": "ELB-HealthChecker/2.0"})
        status = connection.getresponse().status
        connection.close()
    except TimeoutError:
        return "Target.Timeout", "Request timed out"
    except (OSError, http.client.HTTPException):
        return "Target.FailedHealthChecks", "Health checks failed"
    if _matches(status, str(group.get("Matcher", {}).get("HttpCode", "200"))):
        return None
    return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]"


def _fault_of_grpc(group: dict[str, Any], address: tuple[str, int], timeout: int) -> tuple[str, str] | None:
    # Half a second to import, and few programs have such a group.
    import grpc  # noqa: PLC0415

    with grpc.insecure_channel("{}:{}".format(*address)) as channel:
        call = cast("Any", channel).unary_unary(group.get("HealthCheckPath", "/AWS.ALB/healthcheck"))
        try:
            call(b"", timeout=timeout)  # an empty message is one of any type
            code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            code = cast("grpc.StatusCode", cast("Any", error).code())
    if code is grpc.StatusCode.UNAVAILABLE:
        return "Target.FailedHealthChecks", "Health checks failed"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "Target.Timeout", "Request timed out"
    number = int(code.value[0])
    if _matches(number, str(group.get("Matcher", {}).get("GrpcCode", "12"))):
        return None
    return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{number}]"


def _port(group: dict[str, Any], target: dict[str, Any]) -> int:
    return int(target.get("Port") or group.get("Port", 80))


def _matches(status: int, codes: str) -> bool:
    """Whether *status* is among *codes*, written as AWS writes them: ``200``, ``200,301`` or ``200-299``."""
    ranges = (part.partition("-") for part in codes.split(","))
    return any(int(low) <= status <= int(high or low) for low, _, high in ranges)


def _unhealthy(text: str, target: dict[str, Any], group: dict[str, Any], said: tuple[str, str]) -> str:
    opening = f"<Target><Id>{target['Id']}</Id><Port>{_port(group, target)}</Port></Target>"
    before, found, after = text.partition(opening)
    reason, description = said
    state = f"<State>unhealthy</State><Reason>{reason}</Reason><Description>{description}</Description>"
    return before + found + after.replace("<State>healthy</State>", state, 1)
