"""The bootstrap stack as it is shipped: what it makes, and what the policy packs say of it."""

from __future__ import annotations

import functools
import json
import os
from typing import Any, Final

import pytest

from pipeline import images, target
from rehearsal import packs
from tests.whole import ROOT, Whole, run

FOLDER: Final = ROOT / "bootstrap"
EXCEPTIONS: Final[dict[str, Any]] = json.loads((FOLDER / "least_privilege.json").read_text())


@functools.cache
def whole(*, preview: bool) -> Whole:
    return run(FOLDER, "shared", preview=preview)


@functools.cache
def judged(*, preview: bool, excepted: bool) -> packs.Judgement:
    return packs.judge(
        sorted(path.parent for path in (ROOT / "policies").glob("*/PulumiPolicy.yaml")),
        whole(preview=preview).graph,
        stack="shared",
        project="drydock-bootstrap",
        preview=preview,
        environment=os.environ,
        configuration={"least_privilege": EXCEPTIONS} if excepted else {},
    )


def roles() -> dict[str, dict[str, Any]]:
    return {each.inputs["name"]: dict(each.inputs) for each in whole(preview=True).of("iam/role:Role").values()}


def subject(role: dict[str, Any]) -> list[str]:
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    return statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]


def test_every_image_has_a_repository_that_moves_no_tag_and_that_other_accounts_pull_from() -> None:
    made = whole(preview=True).of("ecr/repository:Repository")
    assert {each.inputs["name"] for each in made.values()} == {it.repository for it in images.discover(ROOT)}
    for each in made.values():
        assert each.inputs["imageTagMutability"] == "IMMUTABLE"
        assert each.inputs["imageScanningConfiguration"]["scanOnPush"]
        assert not each.inputs["forceDelete"]
    for policy in whole(preview=True).of(":RepositoryPolicy").values():
        assert json.loads(policy.inputs["policy"])["Statement"][0]["Principal"] == {"AWS": ["444455556666"]}


def test_images_are_where_the_stacks_look_for_them() -> None:
    """Else the digest that was built would be found nowhere."""
    where = target.building(ROOT)
    repository = whole(preview=True).one("ecr/repository:Repository", "workflow-agent")
    assert repository.provider.split("::")[3] == f"aws-{where.stack}"


def test_each_role_is_for_one_kind_of_run() -> None:
    """A pull request that could take on a deployment's role would need no approval."""
    ours = "repo:acme/drydock"
    assert {name: subject(role) for name, role in roles().items()} == {
        "images": [f"{ours}:ref:refs/heads/main"],
        **{f"preview-{stack}": [f"{ours}:pull_request"] for stack in ("dev", "prod")},
        **{f"drift-{stack}": [f"{ours}:ref:refs/heads/main"] for stack in ("dev", "prod")},
        **{f"deploy-{stack}": [f"{ours}:environment:{stack}"] for stack in ("dev", "prod")},
    }


def test_they_are_what_workflows_ask_for() -> None:
    """The name is made in one place, and yet: made here and asked for there."""
    made = whole(preview=False).outputs["roles"]
    for stack in ("dev", "prod"):
        place = target.of(ROOT, stack)
        for role in ("preview", "drift", "deploy"):
            assert made[f"{role}-{stack}"] == place.role_arn(role)
    assert made["images"] == target.building(ROOT).role_arn("images")


def test_each_account_is_reached_by_its_own_provider() -> None:
    providers = {each.name: each.inputs for each in whole(preview=True).of("pulumi:providers:aws").values()}
    assert providers["aws-dev"]["allowedAccountIds"] == '["111122223333"]'
    assert providers["aws-prod"]["allowedAccountIds"] == '["444455556666"]'
    assert "OrganizationAccountAccessRole" in str(providers["aws-prod"]["assumeRoles"])
    assert "assumeRoles" not in providers["aws-dev"]
    for each in whole(preview=True).graph:
        if each.custom and each.type.startswith("aws:"):
            stack = each.provider.split("::")[3].removeprefix("aws-")
            assert each.inputs.get("tagsAll", {}).get("Environment", stack) == stack, each.urn


@pytest.mark.parametrize("preview", [True, False])
def test_the_packs_pass_it_with_the_exceptions_that_it_gives_reasons_for(preview: bool) -> None:  # noqa: FBT001
    assert [str(it) for it in judged(preview=preview, excepted=True).refusals] == []


def test_only_what_deploys_looks_or_bounds_needs_an_exception() -> None:
    """What a pull request and a push may do is judged as everything else is."""
    refused = {it.urn.rpartition("::")[2] for it in judged(preview=True, excepted=False).refusals}
    prefixes = ("boundary-", "deploy-", "drift-")
    assert refused
    assert all(each.startswith(prefixes) and not each.endswith("-state") for each in refused), refused


def test_each_exception_is_needed() -> None:
    """One that nothing needs any more would let the next mistake through."""
    notes = [it.message for it in judged(preview=True, excepted=True).verdicts if it.level == "advisory"]
    assert notes
    assert not [note for note in notes if "excepted until" not in note]
