"""A role is declared and made from one value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from components.account import Account
from components.base import Component
from components.errors import InvalidArgsError
from components.grants import Grant
from components.roles import Role, RoleBounds, ServiceRole, confused_deputy
from tests.components.recorder import Recorded, of_type, one, record

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT = Account(id="111122223333", region="eu-west-1")
TRUST = confused_deputy(ACCOUNT, ACCOUNT.arn("ecs", "*"))
READ = Grant(actions=("s3:GetObject",), resources=("arn:aws:s3:::shop/*",))


class Shop(Component):
    """A component with one role."""

    def __init__(self, grants: Sequence[Grant], *, bounds: RoleBounds | None = None) -> None:
        role = ServiceRole(name="shop-task", service="ecs-tasks.amazonaws.com", conditions=TRUST, grants=grants)
        super().__init__("shop", {}, None, roles=[role], tags={"Service": "shop"}, role_bounds=bounds)
        self.role: Role = role.create(self)
        self.register_outputs({})


def made(*grants: Grant) -> list[Recorded]:
    return record(lambda: Shop(grants))


def test_the_service_takes_the_role_for_its_own_account_and_source_alone() -> None:
    """Without the conditions, another account's use of the same service could borrow it: the confused deputy."""
    (statement,) = json.loads(one(made(READ), ":Role").inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:111122223333:*"},
    }


def test_its_policy_is_one_inline_policy_of_all_grants() -> None:
    """A managed policy could be attached elsewhere, and changed there."""
    resources = made(READ, Grant(actions=("sqs:SendMessage",), resources=("arn:aws:sqs:eu-west-1:111122223333:q",)))
    policy = one(resources, ":RolePolicy")
    assert policy.inputs["role"] == "shop-task-id"
    assert [each["Action"] for each in json.loads(policy.inputs["policy"])["Statement"]] == [
        ["s3:GetObject"],
        ["sqs:SendMessage"],
    ]


def test_a_role_that_may_do_nothing_has_no_policy() -> None:
    """IAM refuses a policy without a statement."""
    resources = made()
    assert one(resources, ":Role").name == "shop-task"
    assert not of_type(resources, ":RolePolicy")


def test_it_is_within_its_component_and_has_its_tags() -> None:
    resources = made(READ)
    shop, role, policy = (one(resources, token) for token in (":Shop", ":Role", ":RolePolicy"))
    assert role.parent == policy.parent == shop.urn
    assert role.inputs["tags"] == {"Service": "shop"}


def test_it_is_where_its_component_has_its_roles_and_bounded_as_they_are() -> None:
    """Whoever deploys may make no other: the deployment would end at its first role."""
    boundary = "arn:aws:iam::111122223333:policy/walls/shop"
    bounds = RoleBounds(path="/shop/test/", boundary=boundary)
    role = one(record(lambda: Shop([READ], bounds=bounds)), ":Role")
    assert (role.inputs["path"], role.inputs["permissionsBoundary"]) == ("/shop/test/", boundary)


def test_without_bounds_it_says_nothing_of_them() -> None:
    """A library's user who has none gets IAM's own path, and no change when this library learns bounds."""
    role = one(made(READ), ":Role")
    assert not {"path", "permissionsBoundary"} & role.inputs.keys()


@pytest.mark.parametrize("path", ["shop", "/shop", "shop/", "/a b/", "/" + "a" * 511 + "/"])
def test_a_path_that_iam_refuses_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgsError, match=r"RoleBounds.path: got '.*'; a path such as"):
        RoleBounds(path=path)
