"""The program as a whole, for each stack of this repository."""

from __future__ import annotations

import ast
from collections import Counter
from typing import Final

import pytest

from rehearsal import program, schema, stand_ins
from tests.rehearsal.programs import write
from tests.whole import ROOT, deployed, previewed

each_stack = pytest.mark.parametrize("stack", ["dev", "prod"])

LONGEST: Final = 320
"""Lines of one file: what is longer is two things."""

SOURCES: Final = sorted(
    path
    for folder in (
        *("apps", "bootstrap", "components", "deployments", "pipeline", "policies", "rehearsal", "settings"),
    )
    for path in (ROOT / folder).rglob("*.py")
)


@each_stack
def test_nothing_is_on_the_default_provider(stack: str) -> None:
    """Its account and region would be whatever the shell is in, and its tags nobody's."""
    whole = deployed(stack)
    provider = whole.one("pulumi:providers:aws")
    made = [each for each in whole.graph if each.custom and each is not provider]
    assert len(made) > 50
    assert {each.provider for each in made} == {provider.urn}


@each_stack
def test_the_provider_is_held_to_one_account_and_region(stack: str) -> None:
    """With another account's credentials nothing is done."""
    inputs = deployed(stack).one("pulumi:providers:aws").inputs
    assert inputs["region"] == "ap-southeast-1"
    assert inputs["allowedAccountIds"] == {"dev": '["111122223333"]', "prod": '["444455556666"]'}[stack]


@each_stack
def test_whatever_takes_tags_has_all_six(stack: str) -> None:
    """What has no owner is never cleaned up, and what has no cost center is paid by all."""
    taggable = [each for each in previewed(stack).graph if each.custom and schema.taggable(each.type)]
    assert len(taggable) > 30
    for each in taggable:
        service = each.inputs["tagsAll"].pop("Service")
        owner = {
            "QueryService": "query-service",
            "ParkingEtl": "parking-etl",
            "Workflow": "workflow",
            "Microservices": "microservices",
            "ExpressApi": "express-api",
        }
        assert service == owner.get(each.urn.split("drydock:index:")[1].split("$")[0], "platform"), each.urn
        name = {"Name": each.inputs["tagsAll"]["Name"]} if "Name" in each.inputs["tagsAll"] else {}
        assert each.inputs["tagsAll"] == {
            "Project": "drydock",
            "Environment": stack,
            "Owner": "platform-team",
            "CostCenter": "cc-1001",
            "ManagedBy": "pulumi",
            **name,
        }
        each.inputs["tagsAll"]["Service"] = service


@pytest.mark.parametrize(("stack", "gateways"), [("dev", 1), ("prod", 3)])
def test_dev_has_one_nat_gateway_and_prod_one_a_zone(stack: str, gateways: int) -> None:
    """The dearest thing of dev; and in prod the loss of a zone takes no other with it."""
    assert len(previewed(stack).of(":NatGateway")) == gateways


@each_stack
def test_no_two_resources_share_a_urn(stack: str) -> None:
    """The engine refuses the second, after half of the rest is made."""
    counted = Counter(each.urn for each in previewed(stack).graph)
    assert not [urn for urn, count in counted.items() if count > 1]


@each_stack
def test_a_preview_has_every_resource_that_a_deployment_has(stack: str) -> None:
    """What is made inside an `apply` is missing from a preview, and no reviewer sees it."""
    assert {each.urn for each in previewed(stack).graph} == {each.urn for each in deployed(stack).graph}


def test_an_invoke_would_end_the_run(tmp_path) -> None:  # noqa: ANN001 - pytest's own
    """So the runs above show that the program calls none: a call of AWS at every preview, by other credentials."""
    folder = write(tmp_path, "import pulumi_aws as aws\naws.get_region()", preamble="")
    result = program.run(folder, "dev", preview=True, maker=stand_ins.Preview())
    assert result.error is not None
    assert "calls the function aws:index/getRegion:getRegion" in result.error.message


@each_stack
def test_protection_follows_the_stack(stack: str) -> None:
    """In prod nothing that holds data or serves many goes by accident; in dev all of it goes with one command."""
    whole, protected = previewed(stack), stack == "prod"
    # A guard's lock holds nothing.
    tables = [each for name, each in whole.of("dynamodb/table:Table").items() if not name.endswith("-lock")]
    assert {each.inputs["deletionProtectionEnabled"] for each in tables} == {protected}
    balancer = whole.one("lb/loadBalancer:LoadBalancer", f"{stack}-internal")
    assert balancer.inputs["enableDeletionProtection"] is protected
    assert whole.one("efs/fileSystem:FileSystem").protect is protected


def test_the_program_fits_on_a_page() -> None:
    """It only wires: what there is to read is behind its names."""
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 30


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    assert len(SOURCES) > 50
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert not {path: count for path, count in lines.items() if count > LONGEST}


def test_one_reader_reads_the_configuration() -> None:
    """A setting read elsewhere is checked by nobody, and is in no schema. The bootstrap stack has its own reader."""
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if not path.is_relative_to(ROOT / "rehearsal")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("Config", "get_config", "get_config_env")
        and ast.unparse(node.value).startswith("pulumi")
    }
    assert readers == {"bootstrap/configuration.py", "settings/reader.py"}
