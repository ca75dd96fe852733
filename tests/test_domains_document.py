"""What docs/domains.md says of settings, scripts and figures is so."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

import pytest
import yaml

from apps import _platform
from components import domain
from rehearsal.script import Script
from settings import LoadBalancerSettings
from tests.whole import ROOT

TEXT: Final = (ROOT / "docs/domains.md").read_text()
SNIPPETS: Final = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


def said(text: str) -> bool:
    """Whether the document says *text*, wherever its lines break."""
    return text in re.sub(r"\s+", " ", TEXT)


@pytest.mark.parametrize("section", [each for each in SNIPPETS if "requests" not in each])
def test_a_section_of_it_is_one_that_a_stack_file_takes(section: dict[str, Any]) -> None:
    """It is copied, and then changed."""
    (balancer,) = section.values()
    # YAML has lists, and the settings tuples.
    found = LoadBalancerSettings.model_validate(balancer, strict=False)
    assert found.model_fields_set == balancer.keys()
    if "domain" in balancer:
        assert found.domain
        assert found.domain.value().names()


def test_its_requests_are_ones_that_a_script_takes() -> None:
    (script,) = [each for each in SNIPPETS if "requests" in each]
    redirected, hosted = Script.model_validate(script).requests
    assert (redirected.scheme, redirected.host) == ("http", None)
    assert (hosted.scheme, hosted.host) == (None, "user.shop.example.com")


def test_prods_domain_is_the_example() -> None:
    """A reader compares the two."""
    prod = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    assert prod["drydock:public_load_balancer"]["domain"] == SNIPPETS[0]["drydock:public_load_balancer"]["domain"]


def test_its_figures_are_the_components() -> None:
    patience, longest = domain._PATIENCE, domain._LONGEST_FIRST
    assert said(f"for {patience.removesuffix('m')} minutes")
    assert said(f"has {longest} characters at most")


def test_the_line_of_a_stack_without_a_domain_is_the_programs() -> None:
    line = next(line for line in TEXT.splitlines() if line.startswith("internal load balancer:"))
    assert line.removeprefix("internal") in inspect.getsource(_platform).replace("{kind}", "")
