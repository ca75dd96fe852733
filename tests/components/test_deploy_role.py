"""A role for workflows admits the runs that it names, of one repository, and does what its policies say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pulumi import Output

from components.account import Account
from components.deploy_role import DeployRole, DeployRoleArgs, GithubProvider, GithubProviderArgs
from components.errors import InvalidArgsError
from components.grants import Grant
from tests.components.recorder import Recorded, of_type, one, record

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = Account(id="111122223333", region="eu-west-1")
READ = Grant(actions=("s3:GetObject",), resources=("arn:aws:s3:::state/*",))
WRITE = Grant(actions=("s3:PutObject",), resources=("arn:aws:s3:::state/*",))


def made(then: Callable[[DeployRole], None] = lambda _: None, **changed: Any) -> list[Recorded]:
    def build() -> None:
        then(
            DeployRole(
                "deploy-test",
                DeployRoleArgs(
                    **{
                        "account": ACCOUNT,
                        "github": GithubProvider("github", GithubProviderArgs(account=ACCOUNT)),
                        "role_name": "deploy",
                        "repository": "acme/shop",
                        "runs": ["environment:test"],
                        "policies": {"state": [READ]},
                        **changed,
                    }
                ),
            )
        )

    return record(build, preview=True)


def test_githubs_tokens_are_trusted_for_aws_alone() -> None:
    """A token that was made for somebody else would do."""
    provider = one(made(), ":OpenIdConnectProvider")
    assert provider.inputs["url"] == "https://token.actions.githubusercontent.com"
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    assert "thumbprintLists" not in provider.inputs


def test_whose_run_it_is_stands_whole_in_the_trust() -> None:
    """Without the subject, any repository on GitHub could take the role on. All of it is known at a first preview."""
    role = one(made(runs=["ref:refs/heads/main", "environment:test", "ref:refs/heads/main"]), "iam/role:Role")
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                    "token.actions.githubusercontent.com:sub": [
                        "repo:acme/shop:environment:test",
                        "repo:acme/shop:ref:refs/heads/main",
                    ],
                }
            },
        }
    ]


def test_the_provider_is_there_before_the_role_that_names_it() -> None:
    resources = made()
    assert one(resources, ":OpenIdConnectProvider").urn in one(resources, "iam/role:Role").dependencies


def test_each_policy_is_one_of_its_own_and_attached() -> None:
    resources = made(policies={"state": [READ], "more": [READ, WRITE]})
    policies = {
        each.name: json.loads(each.inputs["policy"])["Statement"]
        for each in of_type(resources, "iam/policy:Policy").values()
    }
    assert {name: [it["Action"] for it in said] for name, said in policies.items()} == {
        "deploy-test-state": [["s3:GetObject"]],
        "deploy-test-more": [["s3:GetObject"], ["s3:PutObject"]],
    }
    attached = of_type(resources, ":RolePolicyAttachment").values()
    assert {each.name for each in attached} == policies.keys()


def test_what_it_may_never_do_is_refused_whatever_is_allowed() -> None:
    resources = made(policies={"all": [READ, WRITE]}, never=[WRITE])
    never = next(each for each in of_type(resources, "iam/policy:Policy").values() if each.name == "deploy-test-never")
    assert json.loads(never.inputs["policy"])["Statement"] == [
        {"Effect": "Deny", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::state/*"]}
    ]
    assert any(each.name == "deploy-test-never" for each in of_type(resources, ":RolePolicyAttachment").values())


def test_workflows_know_it_by_a_name_and_a_path_that_do_not_change() -> None:
    found: list[str] = []
    role = one(made(lambda it: found.append(it.arn), path="/walls/"), "iam/role:Role")
    assert found == ["arn:aws:iam::111122223333:role/walls/deploy"]
    assert (role.inputs["name"], role.inputs["path"]) == ("deploy", "/walls/")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"repository": "acme"}, r"DeployRole.repository: got 'acme'; owner/name"),
        ({"repository": "acme/*"}, "DeployRole.repository"),
        ({"runs": []}, r"DeployRole.runs: got \[\]; at least one"),
        ({"runs": ["*"]}, r"DeployRole.runs: got '\*'; .*without wildcards"),
        ({"runs": ["ref:refs/heads/release-*"]}, "without wildcards"),
        ({"runs": ["environment:test\n"]}, "without wildcards"),
        ({"role_name": "a b"}, "role name: got 'a b'"),
        ({"path": "pipeline"}, r"DeployRole.path: got 'pipeline'; a path such as"),
        ({"max_session": 60}, r"DeployRole.max_session: got 60; a whole number from 3600 to 43200 seconds"),
        ({"policies": {}}, r"DeployRole.policies: got '0 policies'; 1 to 10"),
        ({"policies": {f"p{n}": [READ] for n in range(10)}, "never": [WRITE]}, "1 to 9 of them"),
        ({"policies": {"none": []}}, r"DeployRole.policies\['none'\]: got 'no grant'"),
        ({"policies": {"long": [READ] * 99}}, r"at most 6144: give a part of it a name of its own"),
    ],
)
def test_what_github_or_iam_would_refuse_or_take_too_widely_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        made(**wrong)


def test_a_policy_that_no_pack_could_read_is_refused() -> None:
    """One output makes the whole document unknown at the first preview."""
    with pytest.raises(InvalidArgsError, match=r"got 'an output'; at least one grant, of plain ARNs"):
        made(policies={"later": [Grant(actions=("s3:GetObject",), resources=(Output.from_input("arn"),))]})
