"""What the REST APIs of either kind are grown from: the tree of their paths, and the sum of what they answer."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pulumi_aws as aws

from components import api_paths, documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pulumi import Input, Output, ResourceOptions


def grow(
    name: str, api: aws.apigateway.RestApi, paths: Iterable[str], child: Callable[[str], ResourceOptions]
) -> dict[str, Output[str]]:
    """Make the resources that *paths* of *api* need, and return each path's id, the root's too.

    *child* gives the options of a resource, by what its logical name has beyond *name*.
    """
    resources: dict[str, Output[str]] = {api_paths.ROOT: api.root_resource_id}
    for path in paths:
        for below in api_paths.branch(path):
            if below not in resources:
                parent, part = api_paths.split(below)
                resources[below] = aws.apigateway.Resource(
                    f"{name}{below}",
                    rest_api=api.id,
                    parent_id=resources[parent],
                    path_part=part,
                    opts=child(below),
                ).id
    return resources


def fingerprint(said: Mapping[str, object]) -> Input[str]:
    """Sum up all that a deployment holds, so that a change of any of it makes a new one."""
    return documents.render(said, then=_hash)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
