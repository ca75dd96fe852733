"""Statements of the policies that sit on a resource itself, and say who may use it from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components import documents
from components.grants import POLICY_VERSION, Conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input

Statement = dict[str, Any]


def tls_only(actions: Sequence[str], resources: Sequence[Input[str]]) -> Statement:
    """Refuse *actions* on *resources* to everybody who does not speak TLS."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def admit(principal: dict[str, Any], actions: Sequence[str], resource: Input[str], conditions: Conditions) -> Statement:
    """Allow *principal* (``{"Service": "cloudwatch.amazonaws.com"}``) *actions* on *resource* under *conditions*."""
    statement: Statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": resource}
    if conditions:
        statement["Condition"] = conditions
    return statement


def document(statements: Sequence[Statement]) -> Input[str]:
    """Render *statements* as one policy document: plain text when all is known, one output when something is not."""
    return documents.render({"Version": POLICY_VERSION, "Statement": list(statements)})
