"""The correction that a load balancer answers where it listens, and nowhere else."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
import json
from typing import Any

alb: Any = importlib.import_module("ministack.services.alb")


def answer_where_it_listens() -> None:
    """Let no listener answer for a port that is not its own.

    The emulator lets the first one, so that a stack without HTTPS would be asked over HTTPS and answer. On AWS there is
    no connection; here a 503 says why. Asked by a loopback address the port is the emulator's, and says nothing.
    """
    dispatch = alb.dispatch_request

    async def dispatched(
        balancer: dict[str, Any],
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Any,
        port: int = 80,
        **more: Any,
    ) -> Any:
        own = [each for each in alb._listeners.values() if each["LoadBalancerArn"] == balancer["LoadBalancerArn"]]
        host = headers.get("host", "").partition(":")[0]
        if host in ("127.0.0.1", "localhost") or port in [each["Port"] for each in own]:
            return await dispatch(balancer, method, path, headers, body, query_params, port, **more)
        said = f"{balancer['LoadBalancerName']} has no listener on port {port}: AWS would not connect"
        return 503, {"Content-Type": "application/json"}, json.dumps({"message": said}).encode()

    alb.dispatch_request = dispatched
