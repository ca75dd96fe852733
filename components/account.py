"""The AWS account and region a stack lives in, known before anything is created."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from components.errors import InvalidArgsError, of

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where resources are made: plain values, so that trusts and policies are readable at a first preview.

    Asking AWS instead (``aws.get_caller_identity``) would cost a call at every preview, a stub in every test,
    and would hide the documents built from it from any policy that runs before the first deployment.

    Raises:
        InvalidArgsError: an id that is not 12 digits, or a region that is not shaped as AWS's are.

    """

    id: str
    """The account's 12 digits. https://docs.aws.amazon.com/IAM/latest/UserGuide/console-account-id.html"""
    region: str
    """Such as ``ap-southeast-1``."""
    partition: Literal["aws", "aws-cn", "aws-us-gov"] = "aws"
    """The first part of every ARN: ``aws`` but in China and GovCloud."""

    def __post_init__(self) -> None:
        if not _ACCOUNT_ID.fullmatch(self.id):
            raise InvalidArgsError(of(self, "id"), got=self.id, want="an account id is 12 digits, as text")
        if not _REGION.fullmatch(self.region):
            raise InvalidArgsError(of(self, "region"), got=self.region, want="a region such as 'eu-west-1'")

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of *resource* (its part after the account id) of *service* in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"
