"""What a stack file may say of microservices: what cannot work is told before anything is made."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from apps.microservices import Settings
from settings import SettingsError
from tests.settings.test_reader import load
from tests.whole import ROOT

PROD: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
BUILT: dict[str, Any] = {"image": {"build": True}}
RIGHT: dict[str, Any] = {"web": BUILT, "services": {**BUILT, "each": {"user": {}}}}


def read(section: dict[str, Any], **changed: Any) -> Settings:
    """Return the section of a stack that has no other workload."""
    config = {**copy.deepcopy(PROD), "drydock:workloads": {"microservices": section}}
    config |= {f"drydock:{name}": value for name, value in changed.items()}
    (found,) = (each for _, each in load(config, known={"microservices": Settings}).workloads.each())
    assert isinstance(found, Settings)
    return found


def complaint(section: dict[str, Any], **changed: Any) -> list[str]:
    """Return what is told of it, one line for each setting."""
    with pytest.raises(SettingsError) as refused:
        read(section, **changed)
    _, *lines = str(refused.value).splitlines()
    return [line.strip().removeprefix("drydock:workloads.microservices") for line in lines]


def test_a_service_needs_nothing_but_its_name() -> None:
    """Two tasks of the smallest size, and a table."""
    section = read(RIGHT)
    user = section.services.each["user"]
    assert (user.storage, user.desired_count, user.size.cpu, user.size.memory) == ("table", 2, 256, 512)


def test_a_service_without_a_folder_is_told_with_those_that_there_are() -> None:
    """A section is one half of a service."""
    (line,) = complaint({**RIGHT, "services": {**BUILT, "each": {"usr": {}}}})
    assert "got 'usr', without a file services/usr/service.py; there are blog, market, news, user" in line


@pytest.mark.parametrize("name", ["serving", "records"])
def test_what_services_share_is_none(name: str) -> None:
    (line,) = complaint({**RIGHT, "services": {**BUILT, "each": {name: {}}}})
    assert f"got {name!r}, without a file services/{name}/service.py" in line


@pytest.mark.parametrize("name", ["User", "a-b", "elevenchars"])
def test_a_name_must_leave_room_in_those_made_of_it(name: str) -> None:
    (line,) = complaint({**RIGHT, "services": {**BUILT, "each": {name: {}}}})
    assert f"got {name!r}; 1 to 10 small letters and digits, a letter first" in line


def test_all_services_run_one_image() -> None:
    (line,) = complaint({**RIGHT, "services": {**BUILT, "each": {"user": BUILT}}})
    assert line.startswith(".services.each.user")
    assert "all services run one image; say it beside `each`" in line


def test_no_image_of_the_services_is_told_once() -> None:
    (line,) = complaint({**RIGHT, "services": {"each": {"user": {}, "blog": {}}}})
    assert line.startswith(".services: say which image runs")


def test_no_service_at_all_is_no_shop_window() -> None:
    (line,) = complaint({**RIGHT, "services": {**BUILT, "each": {}}})
    assert line.startswith(".services.each")


def test_the_public_load_balancer_is_needed() -> None:
    assert complaint(RIGHT, public_load_balancer=None) == [
        " is behind the public load balancer; add `public_load_balancer: {open_to: [0.0.0.0/0]}`"
    ]


def test_what_a_service_needs_of_the_stack_is_told_by_its_path() -> None:
    """It has machines that nobody made, and so has web."""
    lost = {"capacity": [{"provider": "general"}]}
    lines = complaint({"web": {**BUILT, **lost}, "services": {**BUILT, "each": {"user": lost}}})
    assert [line.partition(": got 'general'")[0] for line in lines] == [
        ".web.capacity",
        ".services.each.user.capacity",
    ]


def test_the_order_of_services_says_nothing() -> None:
    """Page, routes and names are the same."""
    there = {"user": {}, "blog": {}}
    turned = dict(reversed(there.items()))
    both = [read({**RIGHT, "services": {**BUILT, "each": each}}) for each in (there, turned)]
    assert both[0] == both[1]
