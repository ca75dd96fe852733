"""What the bootstrap stack makes: in each account the roles of its stacks, in one of them the images of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pulumi import ResourceOptions

from bootstrap import permissions, rights
from components.account import Account
from components.boundary import Boundary, BoundaryArgs
from components.deploy_role import DeployRole, DeployRoleArgs, GithubProvider, GithubProviderArgs
from components.repository import Repository, RepositoryArgs
from pipeline.target import PATH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi_aws as aws
    from pulumi import Output

    from bootstrap.configuration import Configuration, StackSettings
    from components.grants import Grant
    from pipeline.target import Role, Target

_MAIN: Final = "ref:refs/heads/main"
_PULL_REQUEST: Final = "pull_request"


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """Stacks, their places, and who makes what is in each."""

    said: Configuration
    places: Mapping[str, Target]
    providers: Mapping[str, aws.Provider]
    images: Sequence[str]
    """Names of the repositories of all images."""

    def repositories(self) -> dict[str, Output[str]]:
        """Make the repositories; return name → where to push. No tag ever moves in them, so none is built twice.

        Accounts of other stacks may pull. None goes with images in it, and where others pull none of them goes by age.
        """
        stack = self.said.images_in
        pull = sorted({place.account for place in self.places.values()} - {self.places[stack].account})
        made = {
            name: Repository(
                name.replace("/", "-"), RepositoryArgs(repository_name=name, pull_accounts=pull), self._opts(stack)
            )
            for name in self.images
        }
        return {name: repository.repository_url for name, repository in made.items()}

    def roles(self) -> dict[str, str]:
        """Make every role; return name → ARN. An account has one provider of identities, whatever stacks it has."""
        github: dict[str, GithubProvider] = {}
        found: dict[str, str] = {}
        for stack, place in self.places.items():
            if place.account not in github:
                args = GithubProviderArgs(account=_account(place))
                github[place.account] = GithubProvider(f"github-{stack}", args, self._opts(stack))
            found |= self._stack(stack, github[place.account])
        return found | self._images(github[self.places[self.said.images_in].account])

    def _stack(self, stack: str, github: GithubProvider) -> dict[str, str]:
        """Make the three roles of a stack: of a pull request, of the night, and of a deployment."""
        place, settings = self.places[stack], self.said.stacks[stack]
        account = _account(place)
        boundary = self._boundary(place, settings)
        reading = {"state": rights.state(account, place, settings.state_key)}
        writing = {"state": rights.state(account, place, settings.state_key, write=True)}
        return dict(
            (
                # Whoever opens a pull request chooses what its workflow runs, so it may look at the state alone.
                self._role("preview", place, github, runs=_PULL_REQUEST, policies=reading),
                self._role(
                    "drift",
                    place,
                    github,
                    runs=_MAIN,
                    policies={**reading, **permissions.reading(account, place)},
                ),
                self._role(
                    "deploy",
                    place,
                    github,
                    runs=f"environment:{stack}",
                    policies={**writing, **permissions.deploying(account, place, boundary.arn)},
                    never=permissions.never(rights.closed(account, place, settings.state_key)),
                ),
            )
        )

    def _images(self, github: GithubProvider) -> dict[str, str]:
        place = self.places[self.said.images_in]
        policies = {"push": rights.push(_account(place), self.images)}
        return dict([self._role("images", place, github, runs=_MAIN, policies=policies)])

    def _boundary(self, place: Target, settings: StackSettings) -> Boundary:
        account = _account(place)
        args = BoundaryArgs(
            account=account,
            policy_name=place.boundary,
            role_path=place.role_path,
            closed=[arn for arns in rights.closed(account, place, settings.state_key).values() for arn in arns],
            path=PATH,
        )
        return Boundary(place.boundary, args, self._opts(place.stack))

    def _role(
        self,
        role: Role,
        place: Target,
        github: GithubProvider,
        *,
        runs: str,
        policies: Mapping[str, Sequence[Grant]],
        never: Sequence[Grant] = (),
    ) -> tuple[str, str]:
        name = place.role_name(role)
        args = DeployRoleArgs(
            account=_account(place),
            github=github,
            role_name=name,
            repository=self.said.github_repository,
            runs=[runs],
            policies=policies,
            never=never,
            path=PATH,
        )
        return name, DeployRole(name, args, self._opts(place.stack)).arn

    def _opts(self, stack: str) -> ResourceOptions:
        return ResourceOptions(providers=[self.providers[stack]])


def _account(place: Target) -> Account:
    return Account(id=place.account, region=place.region, partition=place.partition)
