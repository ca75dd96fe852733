"""Small stacks for tests of the platform and of workloads."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
from pulumi import ResourceOptions

from apps._platform import Platform
from settings import Settings

DIGEST = "sha256:" + "a" * 64
IMAGE = {"repository": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/hello", "digest": DIGEST}


def stack(**changed: Any) -> Settings:
    """Return the settings of the smallest stack, but for what is *changed*; keys and values as in a stack file."""
    said = {
        "region": "eu-west-1",
        "allowed_account_ids": ["111122223333"],
        "stage": "test",
        "owner": "us",
        "cost_center": "cc",
        "workloads": {},
        **changed,
    }
    return Settings.model_validate_json(json.dumps(said))


def provider() -> ResourceOptions:
    """Return the options that the program gives to what it makes."""
    return ResourceOptions(providers=[aws.Provider("aws", region="eu-west-1")])


def platform(opts: ResourceOptions | None = None, **changed: Any) -> Platform:
    """Make the platform of such a stack; within `record`."""
    return Platform("platform", stack(**changed), opts or provider())
