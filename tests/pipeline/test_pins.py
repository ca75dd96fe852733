"""A pin changes the digest in a stack file, and not one character else."""

from __future__ import annotations

import difflib

import pytest
import yaml

from pipeline import pins
from pipeline.images import Image
from pipeline.pins import PinError

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "a" * 64
REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
TEXT = f"""\
# A stack.
config:
  drydock:region: eu-west-1   # Ireland
  drydock:workloads:
    shop:
      # What dev built.
      image:
        repository: {REGISTRY}/old-shop  # by hand
        digest: {OLD} # the first
      desired_count: 2
    till-roll:
      image: {{build: true}}   # for now
      printer:
        image:
          # Twice a day.
          build: true
        # Paper.
        count: 1
    many:
      one: {{image: {{repository: {REGISTRY}/many/services, digest: {OLD}}}}}
      two:
        image: {{ digest: "{OLD}", repository: {REGISTRY}/many/services }}
      web: {{image: {{repository: {REGISTRY}/many/web, digest: {OLD}}}}}
"""
SHOP = Image(repository="old-shop", workload="shop", folder="service")
TILL = Image(repository="till-roll", workload="till-roll", folder="service")
PRINTER = Image(repository="till-roll/printer", workload="till-roll", folder="printer")
SERVICES = Image(repository="many/services", workload="many", folder="services")
WEB = Image(repository="many/web", workload="many", folder="web")
NOWHERE = Image(repository="nowhere", workload="nowhere", folder="service")


def changes(image: Image, text: str = TEXT) -> list[str]:
    """Return the lines that pinning *image* takes out and puts in."""
    after = pins.write(text, image, REGISTRY, NEW)
    yaml.safe_load(after)
    return [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line[0] in "+-"]


def test_a_digest_is_changed_where_it_stands() -> None:
    assert changes(SHOP) == [f"-         digest: {OLD} # the first", f"+         digest: {NEW} # the first"]


def test_another_repository_is_changed_with_it() -> None:
    """A digest of one registry is nothing in another."""
    text = pins.write(TEXT, SHOP, "999988887777.dkr.ecr.eu-west-1.amazonaws.com", NEW)
    assert "        repository: 999988887777.dkr.ecr.eu-west-1.amazonaws.com/old-shop  # by hand\n" in text


def test_what_the_stack_built_by_itself_is_pinned_from_now_on() -> None:
    pinned = f"{{repository: {REGISTRY}/till-roll, digest: {NEW}}}"
    assert changes(TILL) == ["-       image: {build: true}   # for now", f"+       image: {pinned}   # for now"]


def test_what_stands_behind_a_block_stays() -> None:
    """YAML ends a block where the next thing begins, so that the comments between would go with it."""
    assert changes(PRINTER) == [
        "-           build: true",
        f"+           {{repository: {REGISTRY}/till-roll/printer, digest: {NEW}}}",
    ]


def test_services_of_one_image_are_pinned_together() -> None:
    after = yaml.safe_load(pins.write(TEXT, SERVICES, REGISTRY, NEW))["config"]["drydock:workloads"]
    assert {name: part["image"]["digest"] for name, part in after["many"].items()} == {
        "one": NEW,
        "two": NEW,
        "web": OLD,
    }


def test_where_the_stack_says_the_registry_a_digest_is_all_there_is() -> None:
    """Said twice, the two would differ one day."""
    said = f"config:\n  drydock:image_registry: {REGISTRY}\n"
    text = TEXT.replace("config:\n", said)
    for image in (TILL, PRINTER, WEB):
        after = pins.write(text, image, REGISTRY, NEW)
        assert after.count(f"{{digest: {NEW}}}") == 1
        assert f"{REGISTRY}/{image.repository}" not in after
        # Found again by its place, since it names no repository any more.
        assert pins.read(after, image) == {NEW}
        assert pins.write(after, image, REGISTRY, OLD).count(f"{{digest: {OLD}}}") == 1
    elsewhere = pins.write(text, SHOP, "999988887777.dkr.ecr.eu-west-1.amazonaws.com", NEW)
    assert "repository: 999988887777.dkr.ecr.eu-west-1.amazonaws.com/old-shop" in elsewhere


def test_what_a_stack_does_not_run_is_not_put_there() -> None:
    assert pins.write(TEXT, NOWHERE, REGISTRY, NEW) == TEXT


def test_pinned_again_nothing_changes() -> None:
    for image in (SHOP, TILL, PRINTER, SERVICES):
        once = pins.write(TEXT, image, REGISTRY, NEW)
        assert pins.write(once, image, REGISTRY, NEW) == once
        assert pins.read(once, image) == {NEW}


def test_what_runs_is_read_as_it_stands() -> None:
    assert pins.read(TEXT, SHOP) == {OLD}
    assert pins.read(TEXT, TILL) == pins.read(TEXT, NOWHERE) == frozenset()


@pytest.mark.parametrize("digest", ["latest", "sha256:abc", NEW + "0", "", f"{NEW}\n  drydock:protect: false"])
def test_what_is_no_digest_is_refused(digest: str) -> None:
    """It comes from whoever typed it, and would stand in the file as it is."""
    with pytest.raises(PinError, match="never a tag"):
        pins.write(TEXT, SHOP, REGISTRY, digest)


def test_a_file_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(PinError, match="it is not YAML"):
        pins.write("config: [", SHOP, REGISTRY, NEW)
