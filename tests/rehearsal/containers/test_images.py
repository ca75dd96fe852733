"""From an image's name to its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal.containers.images import ImageNotFoundError, command_of, digest_of, folder_of, registry_of, repository_of

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("query-service", "query-service"),
        ("query-service:1.2", "query-service"),
        (f"{REGISTRY}/query-service@sha256:{'a' * 64}", "query-service"),
        (f"{REGISTRY}/team/query-service:1@sha256:{'a' * 64}", "team/query-service"),
        ("localhost:5000/query-service:1", "query-service"),
        ("library/postgres:17", "library/postgres"),
    ],
)
def test_the_repository_is_what_is_between_registry_and_tag(image: str, repository: str) -> None:
    """A registry's port is no tag, and a digest's colon neither."""
    assert repository_of(image) == repository


def test_only_a_name_with_a_domain_is_a_registry() -> None:
    """`library/postgres` is Docker Hub's, and no domain."""
    assert registry_of(f"{REGISTRY}/query-service:1") == REGISTRY
    assert registry_of("library/postgres") == registry_of("postgres") == ""


def test_a_repositorys_folder_is_its_apps_service(tmp_path: Path) -> None:
    """Dashes are underscores there, since apps are Python packages."""
    folder = tmp_path / "query_service" / "service"
    folder.mkdir(parents=True)
    assert folder_of(f"{REGISTRY}/query-service:1", tmp_path, {}) == folder


def test_a_repository_of_two_parts_is_a_workload_and_its_folder(tmp_path: Path) -> None:
    """A workload of several images has a folder for each."""
    folder = tmp_path / "work_flow" / "agent"
    folder.mkdir(parents=True)
    assert folder_of(f"{REGISTRY}/work-flow/agent:1", tmp_path, {}) == folder


def test_a_folder_that_is_named_for_a_repository_is_taken(tmp_path: Path) -> None:
    """A repository may be called after what it holds, and not after its workload."""
    named = {"parking-newtaipei": tmp_path}
    assert folder_of(f"{REGISTRY}/parking-newtaipei:1", tmp_path / "apps", named) == tmp_path


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Whoever mistyped a repository must see where it was looked for."""
    with pytest.raises(ImageNotFoundError, match=str(tmp_path / "query_servce" / "service")):
        folder_of("query-servce:1", tmp_path, {})


def test_a_digest_is_the_images_own_or_one_of_its_name() -> None:
    """The emulator pins a deployment's tasks to one digest, so the same name must give the same."""
    assert digest_of(f"web@sha256:{'a' * 64}") == f"sha256:{'a' * 64}"
    assert digest_of("web:1") == digest_of("web:1") != digest_of("web:2")


DOCKERFILE = """FROM python:3.13 AS build
CMD ["never"]
FROM python:3.13
ENTRYPOINT ["python", "-u"]
CMD ["main.py", \\
     "--quick"]
"""


@pytest.mark.parametrize(
    ("entry_point", "command", "runs"),
    [
        ((), (), ["python", "-u", "main.py", "--quick"]),
        ((), ("other.py",), ["python", "-u", "other.py"]),
        (("sh",), (), ["sh"]),
        (("sh", "-c"), ("true",), ["sh", "-c", "true"]),
    ],
)
def test_what_a_task_definition_does_not_say_its_dockerfile_does(
    tmp_path: Path, entry_point: tuple[str, ...], command: tuple[str, ...], runs: list[str]
) -> None:
    """As a container engine has it: the last stage's words, and an entry point said puts the image's command out."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    assert command_of(tmp_path, entry_point, command) == runs


def test_a_command_in_shell_form_is_run_by_a_shell(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.13\ncmd python main.py\n")
    assert command_of(tmp_path, (), ()) == ["/bin/sh", "-c", "python main.py"]


def test_without_a_dockerfile_there_is_what_was_said(tmp_path: Path) -> None:
    assert command_of(tmp_path, (), ()) == []
