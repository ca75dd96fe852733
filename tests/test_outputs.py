"""What a stack tells other teams is one contract, held by the type on both sides."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from pulumi.runtime import rpc

import outputs
from outputs import Contract, ContractError
from tests.components.recorder import record
from tests.whole import deployed, previewed

each_stack = pytest.mark.parametrize("stack", ["dev", "prod"])
STACK = "acme/drydock/prod"


def said(**changed: Any) -> dict[str, Any]:
    """Return what prod hands out, as it comes back from its state: JSON."""
    return {**json.loads(json.dumps(deployed("prod").outputs)), **changed}


def complaint(given: dict[str, Any]) -> str:
    with pytest.raises(ContractError) as refused:
        outputs.parse(STACK, given)
    return str(refused.value)


@each_stack
def test_what_the_program_exports_is_the_contract(stack: str) -> None:
    """Every output is in the type, and everything in the type is an output."""
    handed = deployed(stack).outputs
    assert handed.keys() == Contract.model_fields.keys()
    contract = outputs.parse(STACK, handed)
    assert (contract.version, contract.stage, contract.region) == (outputs.VERSION, stack, "ap-southeast-1")
    assert contract.cluster.arn == f"{stack}.arn"
    assert contract.load_balancers["internal"].url == f"http://{stack}-internal.dnsName"
    assert contract.workloads["query-service"]["private_api_url"] == "query-service.invokeUrl"


@each_stack
def test_nothing_in_it_is_a_secret(stack: str) -> None:
    """It is read by whoever may read the stack."""
    whole = deployed(stack)
    assert not whole.secret_outputs
    assert rpc._special_sig_key not in json.dumps(whole.outputs)


@each_stack
def test_its_names_are_the_same_before_anything_exists(stack: str) -> None:
    """Other teams' previews read it too."""
    assert previewed(stack).outputs.keys() == deployed(stack).outputs.keys()
    assert previewed(stack).outputs["workloads"].keys() == deployed(stack).outputs["workloads"].keys()


def test_there_is_one_subnet_a_zone_in_the_order_of_the_zones() -> None:
    """A reader that spreads over zones takes them by place."""
    network = outputs.parse(STACK, said()).network
    assert network.app_subnet_ids == tuple(f"prod-app-{zone}.id" for zone in "abc")
    assert network.public_subnet_ids == tuple(f"prod-public-{zone}.id" for zone in "abc")
    assert network.data_subnet_ids == tuple(f"prod-data-{zone}.id" for zone in "abc")


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_another_version_is_refused_by_both_numbers(version: object) -> None:
    """A name that changed its meaning would be believed otherwise."""
    assert complaint(said(version=version)) == (
        f"stack {STACK}: its outputs are version {version!r} of the contract; this reader knows 1"
    )


def test_a_stack_that_exports_nothing_is_refused() -> None:
    """It was never deployed, or is not of this project."""
    assert "are version None of the contract" in complaint({})


def test_every_missing_part_is_named_at_once() -> None:
    given = copy.deepcopy(said(cluster={"arn": 3}))
    del given["network"]["vpc_id"], given["region"]
    assert complaint(given) == (
        f"stack {STACK}: its outputs lack, or have of another kind: region, network.vpc_id, cluster.arn, cluster.name"
    )


def test_what_this_reader_does_not_know_yet_is_let_be() -> None:
    """A new name is no new version: producers are updated before their readers."""
    given = said(databases={"main": {}})
    given["cluster"]["capacity"] = "spot"
    assert outputs.parse(STACK, given) == outputs.parse(STACK, said())


def test_the_contract_cannot_be_changed_by_its_reader() -> None:
    with pytest.raises(ValueError, match="frozen"):
        outputs.parse(STACK, said()).stage = "dev"  # type: ignore[misc]


def test_another_stacks_outputs_are_read_as_the_contract() -> None:
    """As a program of another team does."""

    def build() -> object:
        def check(contract: Contract) -> None:
            assert contract.account_id == "444455556666"

        return outputs.read(STACK).apply(check)

    record(build, outputs=lambda _type, _name, _inputs: {"outputs": said(), "secretOutputNames": []})


def test_another_stacks_wrong_outputs_end_the_program() -> None:
    with pytest.raises(ContractError, match="version 7"):
        record(
            lambda: outputs.read(STACK),
            outputs=lambda _type, _name, _inputs: {"outputs": said(version=7), "secretOutputNames": []},
        )
