"""What docs/public_api.md, docs/database.md and docs/jobs.md say of settings, names and figures is so."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from apps.express_api import Settings
from components import api_stage, password
from components import public_api as component
from deployments import jobs
from tests.whole import ROOT

PAGES: Final = {name: (ROOT / f"docs/{name}.md").read_text() for name in ("public_api", "database", "jobs")}


def said(page: str) -> str:
    """Return the text of *page*, wherever its lines break."""
    return re.sub(r"\s+", " ", PAGES[page])


def section(page: str) -> dict[str, Any]:
    """Return the section of express-api that *page* shows."""
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGES[page], re.DOTALL)
    return yaml.safe_load(shown)["workloads"]["express-api"]


def test_the_sections_are_ones_that_a_stack_file_takes() -> None:
    """They are copied, and then changed."""
    for page in ("public_api", "database"):
        # YAML has lists, and the settings tuples.
        shown = Settings.model_validate({"image": {"build": True}, **section(page)}, strict=False)
        assert shown.model_fields_set == {"image", *section(page)}


def test_the_fields_of_a_line_of_the_access_log_are_all_there() -> None:
    log = said("public_api").partition("## Its log")[2].partition("##")[0]
    fields = {*component._LOGGED}
    assert fields > {*api_stage.LOGGED}
    assert not [field for field in fields if f"`{field}`" not in log]


def test_the_figures_are_those_of_the_code() -> None:
    assert f"{password.LENGTH} letters and digits" in said("database")
    assert f"the last {jobs._LINES} lines" in said("jobs")
    assert f"{component.LARGEST_PAYLOAD // 1024**2} MB" in said("public_api")


def test_a_runner_needs_what_the_page_says() -> None:
    """Its own words are what the pipeline's rights are held against."""
    needed = set(re.findall(r"[a-z]+:[A-Z][A-Za-z]+", jobs.Runner.__doc__ or ""))
    assert needed == set(re.findall(r"`((?:ecs|logs|iam):[A-Z][A-Za-z]+)`", said("jobs")))
