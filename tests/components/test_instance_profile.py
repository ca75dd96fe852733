"""An instance profile has one role, and whoever is launched with it waits for the role's rights."""

from __future__ import annotations

from components.account import Account
from components.instance_profile import InstanceProfile, InstanceProfileArgs
from tests.components.recorder import of_type, record

ACCOUNT = Account(id="111122223333", region="eu-west-1")


def test_what_is_launched_with_it_waits_for_the_profile_and_the_policy() -> None:
    """An agent that registers before its policy is there is refused, and the instance is of no use to ECS."""

    def build() -> None:
        args = InstanceProfileArgs(
            account=ACCOUNT,
            cluster_name="main",
            on_cluster=("ecs:RegisterContainerInstance",),
            on_instances=("ecs:Poll",),
        )
        profile = InstanceProfile("shop", args)
        assert len(profile.before) == 2

    resources = record(build)
    assert list(of_type(resources, ":RolePolicy")) == ["shop"]
    profile = next(each for each in resources if each.type == "aws:iam/instanceProfile:InstanceProfile")
    assert profile.inputs["role"] == "shop.name"
