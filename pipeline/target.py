"""Where a stack is deployed, by whom, and where its state lies: all of it made of the stack's own file.

So nothing of it is configured on GitHub, and the roles that the bootstrap stack makes have the names that the
workflows ask for. As a command, ``python -m pipeline.target <stack> --role deploy``, it prints what a workflow's step
hands to the next.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import yaml

PROJECT: Final = "drydock"
PATH: Final = "/pipeline/"
"""IAM path of what the bootstrap stack makes; nothing that a workflow deploys may write there."""
BOOTSTRAP: Final = Path("bootstrap/Pulumi.shared.yaml")

Role = Literal["preview", "drift", "deploy", "images"]


class TargetError(Exception):
    """A stack file that does not say where the stack is."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One stack's place."""

    stack: str
    stage: str
    """What the stack calls itself, which its roles' path is made of."""
    account: str
    region: str

    @property
    def partition(self) -> Literal["aws", "aws-cn", "aws-us-gov"]:
        """The first part of every ARN there."""
        return "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if "-gov-" in self.region else "aws"

    @property
    def registry(self) -> str:
        """Where the account's repositories are."""
        suffix = ".cn" if self.partition == "aws-cn" else ""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com{suffix}"

    @property
    def state_bucket(self) -> str:
        """The bucket of the account's stacks; the account's id makes its name nobody else's."""
        return f"{PROJECT}-state-{self.account}-{self.region}"

    @property
    def backend(self) -> str:
        """What ``pulumi login`` takes."""
        return f"s3://{self.state_bucket}?region={self.region}"

    @property
    def boundary(self) -> str:
        """Name of the permissions boundary of all roles that the stack makes."""
        return f"boundary-{self.stack}"

    @property
    def role_path(self) -> str:
        """IAM path of all roles that the stack makes, as `settings.roles.RoleSettings` has it."""
        return f"/{PROJECT}/{self.stage}/"

    def role_name(self, role: Role) -> str:
        """Return the name of the role that a workflow takes on; images have one, whatever runs them."""
        return role if role == "images" else f"{role}-{self.stack}"

    def role_arn(self, role: Role) -> str:
        """Return the ARN of that role."""
        return f"arn:{self.partition}:iam::{self.account}:role{PATH}{self.role_name(role)}"


def of(root: Path, stack: str) -> Target:
    """Return the place of *stack*, as its file under *root* says.

    Raises:
        TargetError: there is no such file, or it names no account, region or stage.

    """
    path = root / f"Pulumi.{stack}.yaml"
    said = config(path)
    accounts, region = said.get(f"{PROJECT}:allowed_account_ids"), said.get(f"{PROJECT}:region")
    account = cast("list[object]", accounts)[0] if isinstance(accounts, list) and accounts else None
    stage = said.get(f"{PROJECT}:stage")
    if not (isinstance(account, str) and isinstance(region, str) and isinstance(stage, str)):
        raise TargetError(
            f"{path.name}: say {PROJECT}:allowed_account_ids, a list of one id in quotes, {PROJECT}:region and "
            f"{PROJECT}:stage"
        )
    return Target(stack=stack, stage=stage, account=account, region=region)


def building(root: Path) -> Target:
    """Return the place of the stack in whose account all images are.

    Raises:
        TargetError: the bootstrap stack's file does not name it.

    """
    stack = config(root / BOOTSTRAP).get(f"{PROJECT}-bootstrap:images_in")
    if not isinstance(stack, str):
        raise TargetError(f"{BOOTSTRAP}: say {PROJECT}-bootstrap:images_in, the stack whose account holds the images")
    return of(root, stack)


def config(path: Path) -> dict[str, Any]:
    """Return the settings of a stack file.

    Raises:
        TargetError: it is not there, or is no stack file.

    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TargetError(f"there is no {path.name}") from None
    except yaml.YAMLError as error:
        raise TargetError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    said = cast("dict[str, Any]", content).get("config") if isinstance(content, dict) else None
    if not isinstance(said, dict):
        raise TargetError(f"{path.name} has no `config`")
    return cast("dict[str, Any]", said)


def main(arguments: list[str] | None = None, root: Path = Path()) -> None:
    """Print the place, a line for each output of a step."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.target", description="Prints where a stack is.")
    parser.add_argument("stack", help="its name, or nothing for the one that holds the images", nargs="?", default="")
    parser.add_argument("--role", required=True, choices=get_args(Role), help="who goes there")
    given = parser.parse_args(arguments)
    try:
        target = of(root, given.stack) if given.stack else building(root)
    except TargetError as error:
        parser.error(str(error))
    outputs = {"role": target.role_arn(given.role), "account": target.account, "region": target.region}
    for name, value in {**outputs, "registry": target.registry, "backend": target.backend}.items():
        print(f"{name}={value}")  # noqa: T201 - it is what the command is for


if __name__ == "__main__":
    main()
