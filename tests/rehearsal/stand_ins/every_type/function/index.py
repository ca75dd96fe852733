"""A function that answers, and no more."""

from __future__ import annotations


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Answer as API Gateway wants it."""
    return {"statusCode": 200, "body": "hello"}
