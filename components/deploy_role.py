"""A role that a repository's GitHub Actions take on without any stored key, and the provider that vouches for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import ResourceOptions

from components import documents, grants, naming
from components.base import Component, declared
from components.errors import InvalidArgsError, of, within
from components.roles import check_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from components.account import Account
    from components.grants import Grant

_ISSUER: Final = "token.actions.githubusercontent.com"
_AUDIENCE: Final = "sts.amazonaws.com"
"""What aws-actions/configure-aws-credentials asks GitHub's tokens to be for."""
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9-]+/[\w.-]+", re.ASCII)
# What GitHub writes behind the repository. A wildcard would admit whoever can push a branch of that name.
# https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
_RUN: Final = re.compile(r"pull_request|environment:[\w.-]+|ref:refs/heads/[\w./-]+", re.ASCII)
# Characters of one managed policy, white space apart; and policies of one role, which AWS raises on request.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_LONGEST_POLICY: Final = 6144
_MOST_POLICIES: Final = 10


@dataclass(frozen=True, kw_only=True)
class GithubProviderArgs:
    """What a `GithubProvider` takes."""

    account: Account
    """The account whose roles GitHub Actions may take on. It has one such provider at most."""


class GithubProvider(Component):
    """The account's trust in the tokens that GitHub gives to the runs of workflows; by itself it admits nobody.

    No thumbprint: AWS verifies GitHub's certificate by authorities that it trusts itself.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html
    """

    arn: str
    """Plain, since AWS makes it of the account and the issuer."""
    resource: aws.iam.OpenIdConnectProvider
    """What a role that names it waits for."""

    def __init__(self, name: str, args: GithubProviderArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(name, declared(args), opts)
        self.resource = aws.iam.OpenIdConnectProvider(
            name, url=f"https://{_ISSUER}", client_id_lists=[_AUDIENCE], tags=self.tags, opts=self.child()
        )
        self.arn = f"arn:{args.account.partition}:iam::{args.account.id}:oidc-provider/{_ISSUER}"
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class DeployRoleArgs:
    """What a `DeployRole` takes.

    Raises:
        InvalidArgsError: a name, repository, run or path that IAM or GitHub has not; a policy that is empty, too long,
            or not plain text; or too many of them.

    """

    account: Account
    """Where the role is."""
    github: GithubProvider
    """The account's own."""
    role_name: str
    """What workflows know it by, so that no suffix is added: one of that name in the account."""
    repository: str
    """Whose workflows take it on, as ``owner/name``. Keep the owner: its name, once free, is anybody's."""
    runs: Sequence[str]
    """Which runs of them, each whole: ``environment:prod``, ``ref:refs/heads/main``, ``pull_request``.

    Who may start a run in an environment is decided on GitHub, by its reviewers and branches.
    """
    policies: Mapping[str, Sequence[Grant]]
    """What it may do: a name → the grants of one managed policy, with nothing but plain text in them.

    Managed, since what deploys a stack is longer than the 10,240 characters that a role has inside. Plain, so that a
    policy pack can read all of it before the first deployment.
    """
    never: Sequence[Grant] = ()
    """What it may not do, whatever its policies allow, plain too. Default: nothing.

    For the few resources of a kind that a policy cannot name otherwise: all buckets but that one.
    """
    path: str = "/pipeline/"
    """IAM path of the role and its policies: one that the role itself may not write to."""
    max_session: int = 3600
    """Seconds after which a run's credentials end, 3600 to 43200."""

    def __post_init__(self) -> None:
        naming.fixed(self.role_name, naming.ROLE)
        within(self, "max_session", 3600, 43_200, "seconds")
        if not _REPOSITORY.fullmatch(self.repository):
            raise InvalidArgsError(of(self, "repository"), got=self.repository, want="owner/name, such as 'acme/shop'")
        if not self.runs:
            raise InvalidArgsError(of(self, "runs"), got=self.runs, want="at least one, such as 'environment:prod'")
        for run in self.runs:
            if not _RUN.fullmatch(run):
                raise InvalidArgsError(
                    of(self, "runs"),
                    got=run,
                    want="'pull_request', 'environment:<name>' or 'ref:refs/heads/<branch>', without wildcards",
                )
        check_path(self, "path")
        most = _MOST_POLICIES - bool(self.never)
        if not 1 <= len(self.policies) <= most:
            raise InvalidArgsError(
                of(self, "policies"), got=f"{len(self.policies)} policies", want=f"1 to {most} of them"
            )
        for field, allowed in self._documents().items():
            text = grants.document(allowed)
            if not allowed or not isinstance(text, str):
                raise InvalidArgsError(
                    of(self, field),
                    got="an output" if allowed else "no grant",
                    want="at least one grant, of plain ARNs: make them of the account, the region and the name",
                )
            if len(text) > _LONGEST_POLICY:
                raise InvalidArgsError(
                    of(self, field),
                    got=f"{len(text)} characters",
                    want=f"at most {_LONGEST_POLICY}: give a part of it a name of its own",
                )

    def _documents(self) -> dict[str, Sequence[Grant]]:
        never = {"never": self.never} if self.never else {}
        return {f"policies[{name!r}]": allowed for name, allowed in self.policies.items()} | never


class DeployRole(Component):
    """A role for the runs of one repository's workflows, under a name that they know, and its policies.

    Raises:
        InvalidArgsError: a name that leaves its policies no room for Pulumi's suffix in IAM's 128 characters.

    """

    arn: str
    """What a workflow asks for. Plain, since it is known before the role is made."""

    def __init__(self, name: str, args: DeployRoleArgs, opts: ResourceOptions | None = None) -> None:
        written = {f"{name}-{key}": grants.document(allowed) for key, allowed in args.policies.items()}
        if args.never:
            written[f"{name}-never"] = _refusal(args.never)
        for each in written:
            naming.autonamed(each, naming.POLICY)
        super().__init__(name, declared(args), opts)

        role = aws.iam.Role(
            name,
            name=args.role_name,
            path=args.path,
            assume_role_policy=_trust(args),
            max_session_duration=args.max_session,
            tags=self.tags,
            opts=self.child(ResourceOptions(depends_on=[args.github.resource])),
        )
        for each, document in written.items():
            policy = aws.iam.Policy(each, path=args.path, policy=document, tags=self.tags, opts=self.child())
            aws.iam.RolePolicyAttachment(each, role=role.name, policy_arn=policy.arn, opts=self.child())
        self.arn = f"arn:{args.account.partition}:iam::{args.account.id}:role{args.path}{args.role_name}"
        self.register_outputs({})


def _trust(args: DeployRoleArgs) -> str:
    """Admit the runs of that repository alone: without the subject, anybody's workflow would do."""
    subjects = sorted(f"repo:{args.repository}:{run}" for run in set(args.runs))
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": args.github.arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{_ISSUER}:aud": _AUDIENCE, f"{_ISSUER}:sub": subjects}},
    }
    return str(documents.render({"Version": grants.POLICY_VERSION, "Statement": [statement]}))


def _refusal(refused: Sequence[Grant]) -> str:
    statements = [{"Effect": "Deny", "Action": list(it.actions), "Resource": list(it.resources)} for it in refused]
    return str(documents.render({"Version": grants.POLICY_VERSION, "Statement": statements}))
