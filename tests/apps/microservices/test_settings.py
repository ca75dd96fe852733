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
    assert line == ".services.each: got {}; 1 or more of them"


def test_the_public_load_balancer_is_needed() -> None:
    assert complaint(RIGHT, public_load_balancer=None) == [
        " is behind the public load balancer; add `public_load_balancer: {open_to: [0.0.0.0/0]}`"
    ]


@pytest.mark.parametrize("opened", [["0.0.0.0/0"], ["198.51.100.0/24", "nat"]])
def test_web_asks_the_services_where_it_is_let_in(opened: list[str]) -> None:
    assert read(RIGHT, public_load_balancer={"open_to": opened})


@pytest.mark.parametrize(("opened", "told"), [([], "nobody"), (["198.51.100.0/24"], "198.51.100.0/24")])
def test_a_load_balancer_that_shuts_web_out_is_refused(opened: list[str], told: str) -> None:
    """The page would be there, without a word of any service."""
    (line,) = complaint(RIGHT, public_load_balancer={"open_to": opened})
    assert line.startswith(".web: asks the services through the public load balancer, by NAT")
    assert line.endswith(f"open to {told}; add `nat` to its open_to")


def test_a_network_without_nat_shuts_web_in() -> None:
    network = {"nat": "none", "interface_endpoints": ["ecr.api", "ecr.dkr", "logs", "execute-api"]}
    assert complaint(RIGHT, network=network) == [
        ".web: asks the services through the public load balancer, by NAT; say `network: {nat: single}`"
    ]


def test_what_a_service_needs_of_the_stack_is_told_by_its_path() -> None:
    """It has machines that nobody made, and so has web."""
    lost = {"capacity": [{"provider": "general"}]}
    lines = complaint({"web": {**BUILT, **lost}, "services": {**BUILT, "each": {"user": lost}}})
    assert [line.partition(": got 'general'")[0] for line in lines] == [
        ".web.capacity",
        ".services.each.user.capacity",
    ]


@pytest.mark.parametrize("opened", [[443], [443, 80]])
def test_a_page_that_shares_its_instances_ways_out_needs_the_load_balancers_port(opened: list[int]) -> None:
    """Over HTTP, which the instances' own security group does not let out."""
    web = {**BUILT, "capacity": [{"provider": "general"}], "network_mode": "bridge"}
    stack: dict[str, Any] = {
        "public_load_balancer": {"open_to": ["0.0.0.0/0"]},
        "cluster": {"instances": {"general": {"maximum": 9, "open_ports": opened}}},
    }
    if 80 in opened:
        assert read({**RIGHT, "web": web}, **stack)
        return
    (line,) = complaint({**RIGHT, "web": web}, **stack)
    assert line.startswith(".web.network_mode: got 'bridge', in which it calls what its instances may; add 80 to the")


def test_services_in_host_mode_all_have_one_port() -> None:
    """Each listens on 8080 of its instance."""
    host = {"capacity": [{"provider": "general"}], "network_mode": "host"}
    section = {"web": BUILT, "services": {**BUILT, "each": {"user": host, "blog": host}}}
    (line,) = complaint(section, cluster={"instances": {"general": {"maximum": 9}}})
    assert line.startswith(".services.each.")
    assert "got 'host', by which it has port 8080; another one: " in line


ARM: dict[str, Any] = {"arm": {"maximum": 9, "architecture": "ARM64", "instance_types": ["t4g.small"]}}
ON_ARM: dict[str, Any] = {"capacity": [{"provider": "arm"}]}


def test_services_on_two_kinds_of_processor_are_refused() -> None:
    """Their one image is for one, and would not start on the other."""
    each = {"user": ON_ARM, "blog": {}}
    (line,) = complaint({"web": BUILT, "services": {**BUILT, "each": each}}, cluster={"instances": ARM})
    assert line == (
        ".services.each: got blog (X86_64), user (ARM64); processors of one architecture, since all services run one "
        "image"
    )


def test_an_image_of_the_pipelines_does_not_run_on_arm() -> None:
    """It is built for x86 alone; the task would be placed, and end at once."""
    pinned = {"image": {"digest": "sha256:" + "a" * 64}}
    section = {"web": {**pinned, **ON_ARM}, "services": {**pinned, "each": {"user": ON_ARM, "blog": ON_ARM}}}
    lines = complaint(section, cluster={"instances": ARM})
    assert [line.partition(": got one of")[0] for line in lines] == [".services.image.digest", ".web.image.digest"]
    assert "images the pipeline builds for X86_64, on ARM64; `image: {build: true}`, the `repository`" in lines[0]


@pytest.mark.parametrize(
    "image",
    [
        BUILT,
        {"image": {"digest": "sha256:" + "a" * 64, "repository": f"{PROD['drydock:image_registry']}/arm/services"}},
    ],
    ids=["built", "another's"],
)
def test_services_may_be_on_arm_with_an_image_that_is_for_it(image: dict[str, Any]) -> None:
    section = {"web": BUILT, "services": {**image, "each": {"user": ON_ARM, "blog": ON_ARM}}}
    assert read(section, cluster={"instances": ARM})


def test_the_order_of_services_says_nothing() -> None:
    """Page, routes and names are the same."""
    there = {"user": {}, "blog": {}}
    turned = dict(reversed(there.items()))
    both = [read({**RIGHT, "services": {**BUILT, "each": each}}) for each in (there, turned)]
    assert both[0] == both[1]
