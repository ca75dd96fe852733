"""A stack's settings reach the program as the Pulumi CLI would hand them over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rehearsal import stack_file
from rehearsal.stack_file import StackFileError

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
name: shop
runtime: python
config:
  region: {type: string, default: eu-west-1}
  tasks: {type: integer, default: 2}
  shop:on: {type: boolean, default: true}
  zones: {type: array, items: {type: string}, default: [a, b]}
  network: {type: object, default: {nat: single}}
  short: plain
  aws:profile: {value: deploy}
"""


def read(folder: Path, stack: str, project: str = PROJECT) -> dict[str, str]:
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "Pulumi.dev.yaml").write_text(stack)
    return stack_file.read(folder, "dev").config


def test_defaults_are_under_what_the_stack_says_and_every_value_is_text(tmp_path: Path) -> None:
    """`pulumi.Config` parses text: an object that came as a Python dict would pass here and fail under the CLI."""
    assert read(tmp_path, "config: {'shop:tasks': 3, network: {nat: none, zones: [1]}, 'other:key': yes}") == {
        "shop:region": "eu-west-1",
        "shop:tasks": "3",
        "shop:on": "true",
        "shop:zones": '["a","b"]',
        "shop:network": '{"nat":"none","zones":[1]}',
        "shop:short": "plain",
        "aws:profile": "deploy",
        "other:key": "yes",
    }


def test_scalars_are_those_of_the_clis_yaml(tmp_path: Path) -> None:
    """Python's usual parser takes `no` for false, 012 for octal and 2024-01-01 for a date."""
    config = read(tmp_path, "config: {a: no, b: 2024-01-01, c: 0.5, d: true, e: 012, f: 1:30}", "name: shop")
    assert config == {
        "shop:a": "no",
        "shop:b": "2024-01-01",
        "shop:c": "0.5",
        "shop:d": "true",
        "shop:e": "012",
        "shop:f": "1:30",
    }


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        ("config: {tasks: many}", "Pulumi.dev.yaml: shop:tasks is \"many\"; it must be of type 'integer'"),
        ("config: {tasks: 1.5}", "shop:tasks is 1.5; it must be of type 'integer'"),
        ("config: {'shop:on': 1}", "shop:on is 1; it must be of type 'boolean'"),
        ("config: {zones: a}", "shop:zones is \"a\"; it must be of type 'array'"),
        ("config: {zones: [a, 1]}", "shop:zones[1] is 1; shop:zones is an array of text, so each must be in quotes"),
        ("config: {zones: [1], tasks: many}", "Pulumi.dev.yaml: shop:zones[0] is 1; "),
        ("config: {zones: [1], tasks: many}", 'Pulumi.dev.yaml: shop:tasks is "many"; '),
        ("config:\n  tasks: 1\n  region: a\n  tasks: 2", "Pulumi.dev.yaml, line 4: 'tasks' stands in line 2 already"),
        ("config: {network: {nat: a, nat: b}}", "Pulumi.dev.yaml, line 1: 'nat' stands in line 1 already"),
        ("config: {tasks: 1, 'shop:tasks': 2}", "'tasks' is 'shop:tasks' too: a key without a namespace is the"),
        ("config:\n  zones: &z\n  - a\n  - *z", "Pulumi.dev.yaml, line 4: *z is inside of &z; nothing can hold itself"),
        ("config: &c {network: {nat: *c}}", "Pulumi.dev.yaml, line 1: *c is inside of &c; nothing can hold itself"),
        ("config: {network: x}", "shop:network is \"x\"; it must be of type 'object'"),
        ("config: {region: {a: 1}}", "it must be of type 'string'"),
        ("config: {token: {secure: v1:abc}}", "shop:token is encrypted (`secure:`), and a rehearsal has no passphrase"),
        ("config: {network: {token: {secure: v1:abc}}}", "shop:network.token is encrypted"),
        ("environment: [prod]", "Pulumi.dev.yaml has an `environment`"),
        ("config: [a]", "Pulumi.dev.yaml: `config` is ['a']; a mapping is wanted"),
        ("config: {a: [}", "Pulumi.dev.yaml is not YAML"),
        ("- a", "Pulumi.dev.yaml: got list at the top"),
    ],
)
def test_what_the_cli_would_refuse_is_refused_by_name(stack: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(StackFileError) as caught:
        read(tmp_path, stack)
    assert told in str(caught.value)


def test_every_missing_setting_is_named_at_once(tmp_path: Path) -> None:
    project = "name: shop\nconfig: {a: {type: string}, b: {type: integer}}"
    with pytest.raises(StackFileError, match=r"missing configuration: add shop:a, shop:b to Pulumi.dev.yaml"):
        read(tmp_path, "config: {}", project)


def test_a_missing_setting_is_told_with_the_key_that_was_meant_for_it(tmp_path: Path) -> None:
    """The CLI takes `shoop:region` for another program's."""
    project = "name: shop\nconfig: {region: {type: string}}"
    with pytest.raises(StackFileError, match=r"add shop:region \(is 'shoop:region' meant for it\?\) to"):
        read(tmp_path, "config: {'shoop:region': eu-west-1}", project)
    # In use, of an unlike name: the namespace in common makes it no likelier.
    with pytest.raises(StackFileError, match="add shop:region to"):
        read(tmp_path, "config: {'shop:roles': {}}", project)


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    """Only what holds itself is refused."""
    assert read(tmp_path, "config: {a: &z [1], b: *z}", "name: shop") == {"shop:a": "[1]", "shop:b": "[1]"}


def test_a_project_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match=r"there is no .*Pulumi.yaml"):
        stack_file.read(tmp_path, "dev")


def test_some_of_a_stacks_workloads_are_rehearsed_alone(tmp_path: Path) -> None:
    """What one is worked on does not wait for the others; the rest of the stack's settings stays as it is."""
    read(tmp_path, "config: {stage: dev, workloads: {shop: {size: 1}, blog: {size: 2}, news: {size: 3}}}", "name: shop")
    whole = stack_file.read(tmp_path, "dev")
    assert json.loads(whole.only(["news", "shop"]).config["shop:workloads"]) == {
        "shop": {"size": 1},
        "news": {"size": 3},
    }
    assert whole.only(["news"]).config["shop:stage"] == "dev"
    assert whole.only([]) == whole
    with pytest.raises(StackFileError, match="stack 'dev' has no workload 'cart', 'till'; it has shop, blog, news"):
        whole.only(["cart", "shop", "till"])


@pytest.mark.parametrize("said", ["workloads: [shop]", "workloads: shop"])
def test_workloads_that_are_no_mapping_are_left_for_whoever_reads_them(tmp_path: Path, said: str) -> None:
    """All errors of a stack file are told in one way."""
    read(tmp_path, f"config: {{{said}}}", "name: shop")
    whole = stack_file.read(tmp_path, "dev")
    assert whole.only(["shop"]) == whole
