"""What a REST API is asked: ``METHOD /path`` keys, checked, and the tree of resources that they make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from components.errors import InvalidArgsError

if TYPE_CHECKING:
    from collections.abc import Iterable

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY")
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings-method-request.html"""

ROOT: Final = "/"

# API Gateway's own words when it refuses one: "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path
# variable and curly braces at the beginning and the end".
_LITERAL: Final = re.compile(r"[A-Za-z0-9._:-]+")
_VARIABLE: Final = re.compile(r"\{[A-Za-z0-9._-]+\+?\}")


def parse(field: str, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the method and path of each of *keys*; refuse *field* where API Gateway would refuse one."""
    parsed: dict[str, tuple[str, str]] = {}
    variable_below: dict[str, str] = {}
    for key in keys:
        method, _, path = key.partition(" ")
        if method not in METHODS or not path.startswith("/"):
            raise InvalidArgsError(
                field, got=key, want=f"'METHOD /path' such as 'POST /query/user', METHOD one of {', '.join(METHODS)}"
            )
        for resource in branch(path):
            parent, part = split(resource)
            if not _LITERAL.fullmatch(part) and not _VARIABLE.fullmatch(part):
                raise InvalidArgsError(
                    field,
                    got=key,
                    want=f"{part!r} of letters, digits and ._:- or a variable such as {{id}} or {{rest+}}; "
                    "no empty part, and no slash at the end",
                )
            if part.endswith("+}") and resource != path:
                raise InvalidArgsError(field, got=key, want=f"{part} at the end: it takes all that follows")
            if part.startswith("{") and variable_below.setdefault(parent, part) != part:
                raise InvalidArgsError(
                    field, got=key, want=f"{variable_below[parent]} as elsewhere: one variable's name below {parent}"
                )
        parsed[key] = (method, path)
    if not parsed:
        raise InvalidArgsError(field, got={}, want="one route or more: an API without any cannot be deployed")
    return parsed


def branch(path: str) -> list[str]:
    """Return the resources that *path* needs below the root, topmost first: ``/a``, then ``/a/b``."""
    if path == ROOT:
        return []
    parts = path[1:].split("/")
    return ["/" + "/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def split(resource: str) -> tuple[str, str]:
    """Return the parent of *resource* and its own part."""
    parent, _, part = resource.rpartition("/")
    return parent or ROOT, part


def in_arn(method: str, path: str) -> str:
    """Return the end of the ARN of *method* on *path*, in which a variable and any method are wildcards.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    return f"{'*' if method == 'ANY' else method}{_VARIABLE.sub('*', path)}"
