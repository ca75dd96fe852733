"""The correction of API keys: one that was disabled opens nothing."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
from typing import Any

apigateway_v1: Any = importlib.import_module("ministack.services.apigateway_v1")


def close_to_a_disabled_key() -> None:
    """Read ``/enabled`` of UpdateApiKey as a boolean: patches are text, and the emulator takes ``false`` for yes."""
    update = apigateway_v1._update_api_key

    def updated(key_id: str, data: dict[str, Any]) -> Any:
        patches = [
            each | {"value": each.get("value") == "true"} if each.get("path") == "/enabled" else each
            for each in data.get("patchOperations", [])
        ]
        return update(key_id, data | {"patchOperations": patches})

    apigateway_v1._update_api_key = updated
