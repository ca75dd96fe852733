"""The tables of what gives rights: held against the provider's own classes, so that they cannot age unseen."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pulumi
import pulumi_aws as aws

from policies.rules.iam.attachments import ATTACHMENTS, DOCUMENTS, HOLDERS

# What they say of policies besides: who takes on a role, how it is deleted, names alone, delays.
_GIVES_NOTHING = {
    "assumeRolePolicy",
    "delayAfterPolicyCreationInMs",
    "forceDetachPolicies",
    "inlinePolicies",  # judged in the role
    "policyNames",
}


def _inputs() -> dict[str, set[str]]:
    """Type → inputs, in the provider's own spelling, of everything in `aws.iam`."""
    found: dict[str, set[str]] = {}
    assert aws.iam.Role  # the module is empty until something in it is asked for
    for made in vars(aws.iam).values():
        if inspect.isclass(made) and issubclass(made, pulumi.CustomResource):
            it: Any = made
            names = inspect.signature(it._internal_init).parameters
            camel = (re.sub(r"_(\w)", lambda match: match[1].upper(), name) for name in names)
            found[it.pulumi_type] = set(camel)
    return found


def test_every_class_that_attaches_or_holds_a_policy_is_in_the_tables() -> None:
    tables = {(token, path) for token, path in ATTACHMENTS.items()} | {(token, "policy") for token in DOCUMENTS}
    provider = {
        (token, name)
        for token, names in _inputs().items()
        for name in names
        if re.search("polic(y|ies)", name, re.IGNORECASE) and name not in _GIVES_NOTHING
    }
    assert provider == tables


def test_every_way_to_name_its_role_is_in_the_table() -> None:
    giving = {token: names for token, names in _inputs().items() if token in {*ATTACHMENTS, *DOCUMENTS}}
    naming = {
        (token, name) for token, names in giving.items() for name in names & {"role", "roles", "roleName", "roleNames"}
    }
    assert naming == set(HOLDERS.items())
