"""Each refusal by IAM as a line of JSON: AWS would have it in CloudTrail, where the emulator records nothing."""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Final

iam_evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")

_BOUNDARY: Final = "permissions boundary"
"""What refused where the role's own policies allow it: a session has no other limit here."""

_lock = threading.Lock()


def record_refusals() -> None:
    """Record what the emulator's own check of a request refuses."""
    enforce, evaluate = iam_evaluator.enforce, iam_evaluator.evaluate

    def weighed(ctx: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(ctx, policies, *limits)
        if limits and result.decision != "Allow" and evaluate(ctx, policies).decision == "Allow":
            result.reason = _BOUNDARY
        return result

    def recorded(key: str, iam_action: str, service: str, region: str, resource_arn: str = "*", **named: Any) -> Any:
        refusal = enforce(key, iam_action, service, region, resource_arn, **named)
        if isinstance(refusal, iam_evaluator.AuthError):
            record(f"access key {key}", iam_action, resource_arn, refusal.code)
        elif refusal:
            own = _BOUNDARY if refusal.reason == _BOUNDARY else "identity policy"
            policy = "resource policy" if refusal.resource_policy_arn else own
            record(refusal.principal_arn, iam_action, resource_arn, f"{policy}: {refusal.decision}")
        return refusal

    iam_evaluator.enforce = recorded
    iam_evaluator.evaluate = weighed


def record(principal: str, action: str, resource: str, reason: str) -> None:
    """Record one refusal; the fields are `rehearsal.emulator.Denial`'s."""
    denial = {"principal": principal, "action": action, "resource": resource, "reason": reason, "time": time.time()}
    with _lock, Path(os.environ["DRYDOCK_DENIALS"]).open("a") as file:
        file.write(json.dumps(denial) + "\n")
