"""The bootstrap's stack file is right wholly, or every error in it is told before anything is made."""

from __future__ import annotations

import copy
import json
from typing import Any

import pulumi.runtime
import pytest
import yaml

from bootstrap import configuration
from bootstrap.configuration import Configuration, ConfigurationError
from tests.whole import ROOT

GOOD: dict[str, Any] = yaml.safe_load((ROOT / "bootstrap/Pulumi.shared.yaml").read_text())["config"]


def load(config: dict[str, Any]) -> Configuration:
    """Load *config* as the engine hands it over: every value as text."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    pulumi.runtime.set_all_config(texts, [])
    return configuration.load()


def changed(path: str, value: object) -> dict[str, Any]:
    config = copy.deepcopy(GOOD)
    section: Any = config
    *above, key = f"drydock-bootstrap:{path}".split("/")
    for part in above:
        section = section[part]
    section[key] = value
    return config


def test_the_shipped_file_is_right() -> None:
    said = load(GOOD)
    assert said.github_repository == "acme/drydock"
    assert said.stacks["dev"].administrator is None
    assert said.tags("prod")["Environment"] == "prod"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("github_repository", "acme", "github_repository: got 'acme'; owner/name on GitHub"),
        ("github_repository", "acme/*", "github_repository: got 'acme/*'; owner/name on GitHub, without wildcards"),
        ("images_in", "staging", "images_in: got 'staging'; one of the stacks, dev, prod"),
        ("owner", "", "owner: got ''; a tag's value"),
        ("stacks/prod/state_key", "alias/state", "stacks.prod.state_key: got 'alias/state'; the ARN of a KMS key"),
        ("stacks/prod/administrator", "root", "stacks.prod.administrator: got 'root'; the ARN of a role"),
        ("stacks/prod/account", "444455556666", "stacks.prod.account: no such setting"),
        ("stacks/dev", {}, "stacks.dev.state_key: missing; it must be said"),
        ("stack", {}, "stack: no such setting"),
    ],
)
def test_what_cannot_be_is_told(path: str, value: object, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(changed(path, value))
    assert f"drydock-bootstrap:{says}" in str(refused.value) or says in str(refused.value)


def test_every_error_is_told_at_once() -> None:
    config = changed("github_repository", "acme") | {"drydock:region": "eu-west-1"}
    del config["drydock-bootstrap:owner"]
    with pytest.raises(ConfigurationError) as refused:
        load(config)
    first, *others = str(refused.value).splitlines()
    assert first == "3 settings of this stack cannot be used:"
    assert others[0] == "  drydock:region: nobody reads it; settings here begin with 'drydock-bootstrap:'"
    assert len(others) == 3
