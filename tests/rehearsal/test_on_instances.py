"""A workload that one section of a stack file puts on EC2 answers in a rehearsal, and what it lacks there is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rehearsal.copies import change, copy, rehearse

if TYPE_CHECKING:
    from pathlib import Path


def on_bridge(project: Path) -> Path:
    """Put query-service on dev's instances in bridge mode, in a copy of the project."""
    copy(project, only="query-service")
    line = "      desired_count: 1\n"
    said = "      capacity: [{provider: general}]\n      network_mode: bridge\n      size: {cpu: 1024, memory: 1024}\n"
    change(project / "Pulumi.dev.yaml", line, f"{line}{said}")
    return project


def test_a_service_on_bridge_instances_answers_through_its_load_balancer(tmp_path: Path) -> None:
    """Instances that join, a host port, a target behind it, the packs' consent, and every request as on Fargate."""
    project = on_bridge(tmp_path / "project")
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert (ended.code, ended.result["errors"]) == (0, [])
    assert {each["name"] for each in ended.result["resources"] if each["type"].endswith("group:Group")} == {
        "dev-general"
    }
    assert len([each for each in ended.result["requests"] if each["ok"]]) > 10


def test_instances_that_cannot_join_their_cluster_fail_the_rehearsal(tmp_path: Path) -> None:
    """A role that may not register is found here, and not by a service that waits twenty minutes."""
    project = on_bridge(tmp_path / "project")
    change(project / "components" / "ec2_capacity.py", '                    "ecs:RegisterContainerInstance",\n', "")
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 1
    assert any("role 'dev-general-instance' lacks ecs:RegisterContainerInstance" in each for each in ended.errors)
    assert any("instances of 'dev-general' join no cluster" in each for each in ended.errors)
