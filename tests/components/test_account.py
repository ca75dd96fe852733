"""The account is known, and plain."""

from __future__ import annotations

import pytest

from components.account import Account
from components.errors import InvalidArgsError


def test_an_arn_names_partition_region_and_account() -> None:
    """Trusts and policies made of it can be read before anything is created."""
    account = Account(id="111122223333", region="cn-north-1", partition="aws-cn")
    assert (
        account.arn("logs", "log-group:/ecs/shop:*") == "arn:aws-cn:logs:cn-north-1:111122223333:log-group:/ecs/shop:*"
    )


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "ap-southeast-1"])
def test_a_region_is_a_region(region: str) -> None:
    assert Account(id="111122223333", region=region).region == region


@pytest.mark.parametrize("number", ["11112222333", "1111222233334", "1111-2222-3333", "\u0661" * 12, ""])
def test_an_id_that_is_not_12_digits_is_refused(number: str) -> None:
    """YAML reads 012345678901 without quotes as another number."""
    with pytest.raises(InvalidArgsError, match=r"Account\.id: got .* an account id is 12 digits, as text"):
        Account(id=number, region="eu-west-1")


@pytest.mark.parametrize("region", ["eu-west", "Ireland", "eu-west-1a", "eu-west-\u0661", ""])
def test_a_region_that_is_none_is_refused(region: str) -> None:
    """A zone is what is most often meant for one."""
    with pytest.raises(InvalidArgsError, match=r"Account\.region: got .* a region such as 'eu-west-1'"):
        Account(id="111122223333", region=region)
