"""A workload's image is where the stack file says, and is never taken from whoever runs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from apps._platform import Platform
from apps._workload import Outputs, Workload
from components.base import Component
from components.container import Container
from components.secret import Secret, SecretReference
from components.service import Service, ServiceArgs
from components.task import Task, TaskArgs
from settings import ImagedSettings, ServiceSettings, TaskSettings
from settings.capacity import CapacitySettings
from tests.apps.stacks import DIGEST, IMAGE, platform, provider
from tests.components.recorder import Recorded, of_type, one, record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BUILT = {"build": True}
PINNED = {"digest": DIGEST}
ADOPTED = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:till-AbCdEf"


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where the workload has something to build."""
    (tmp_path / "apps/hello/service").mkdir(parents=True)
    (tmp_path / "apps/hello/service/Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)


def attended(of: type[Workload[ServiceSettings]], name: str) -> list[Recorded]:
    """Register a workload as the program does."""

    def build() -> None:
        opts = provider()
        section = ServiceSettings.model_validate_json(json.dumps({"image": IMAGE}))
        workload = of(name, platform(opts), section, opts)
        workload.deploy()
        workload.attend()

    return record(build)


class Told(Workload[ServiceSettings]):
    """A service that reads two keys of one secret, another secret, and a parameter."""

    def deploy(self) -> Outputs:
        """Run it."""
        shared = Secret("shared", opts=self.child())
        own = SecretReference.adopted(ADOPTED)
        parameter = SecretReference.adopted("arn:aws:ssm:eu-west-1:111122223333:parameter/colour")
        container = Container(
            image=self.image(),
            secrets={
                "COLOUR": parameter,
                "PASSWORD": shared.reference("password"),
                "TOKEN": own,
                "USER": shared.reference("user"),
            },
        )
        task = Task("told", self.task_args(self.settings, [container]), self.child())
        service = Service("told", self.service_args(self.settings, task), self.child())
        return {"service": service.service_name}


def test_a_service_is_deployed_anew_by_whatever_secrets_its_task_reads() -> None:
    """A list beside the container's would be forgotten with the next secret. A parameter is never rotated."""
    pattern = json.loads(one(attended(Told, "told"), ":EventRule", "told-rotation").inputs["eventPattern"])
    assert pattern["detail"]["additionalEventData"]["SecretId"] == ["shared.arn", ADOPTED]


class Direct(Workload[ServiceSettings]):
    """A service of arguments that no section says, within a component of the workload's own."""

    def deploy(self) -> Outputs:
        """Run it."""
        container = Container(image=self.image(), secrets={"TOKEN": SecretReference.adopted(ADOPTED)})
        inner = Component("inner", {}, self.child())
        task = Task("direct", TaskArgs(account=self.on.account, containers=[container]), inner.child())
        Service("direct", ServiceArgs(task=task, cluster=self.on.cluster, network=self.on.network), inner.child())
        return {}


def test_a_service_is_attended_to_wherever_below_its_workload_it_is() -> None:
    """One that was not would be rolled back unseen, and go on with a secret that is no longer."""
    confirmed: list[str] = []
    with mock.patch.object(Platform, "confirm", lambda _, service: confirmed.append(service.pulumi_resource_name)):
        resources = attended(Direct, "direct")
    assert confirmed == ["direct"]
    assert one(resources, ":EventRule", "direct-rotation")


class Hello(Workload[TaskSettings]):
    """A workload that is its image alone."""

    def deploy(self) -> Outputs:
        """Take it."""
        return {"uri": self.image().uri}


def repository(image: Mapping[str, Any], **on_stack: Any) -> Mapping[str, Any]:
    return one(made(image, **on_stack), "ecr/repository:Repository").inputs


def made(image: Mapping[str, Any], **on_stack: Any) -> list[Recorded]:
    def build() -> None:
        opts = provider()
        section = TaskSettings.model_validate_json(json.dumps({"image": image}))
        Hello("hello", platform(opts, **on_stack), section, opts).deploy()

    return record(build)


@pytest.mark.parametrize("image", [BUILT, PINNED], ids=["built", "pinned"])
@pytest.mark.parametrize(
    ("protect", "pull_accounts", "force_delete"),
    [(True, [], False), (False, [], True), (False, ["210987654321"], False), (True, ["210987654321"], False)],
)
def test_its_repository_goes_with_its_images_only_where_nobody_else_runs_them(
    image: Mapping[str, Any],
    protect: bool,  # noqa: FBT001 - both ways
    pull_accounts: list[str],
    force_delete: bool,  # noqa: FBT001 - both ways
) -> None:
    """Destroying dev would leave prod unable to start another task."""
    said = repository(image, protect=protect, image_pull_accounts=pull_accounts)
    assert said["forceDelete"] is force_delete


def test_accounts_that_the_stack_names_may_pull_it() -> None:
    policy = one(made(PINNED, image_pull_accounts=["210987654321"]), ":RepositoryPolicy").inputs["policy"]
    assert json.loads(policy)["Statement"][0]["Principal"] == {"AWS": ["210987654321"]}


def test_tags_move_where_the_stack_builds_and_nowhere_else() -> None:
    """The same source on another base image has its tag again, and ECR would refuse the push."""
    assert repository(BUILT)["imageTagMutability"] == "MUTABLE"
    assert repository(PINNED)["imageTagMutability"] == "IMMUTABLE"


class Shared(Workload[ImagedSettings]):
    """A workload whose image is said apart from the tasks that run it."""

    def deploy(self) -> Outputs:
        """Build it for tasks on Arm."""
        return {
            "uri": self.image(run_by=TaskSettings.model_construct(capacity=(CapacitySettings(provider="arm"),))).uri
        }


def test_an_image_is_built_for_the_processors_of_whoever_runs_it() -> None:
    """Another's does not start there, and nothing says so before."""
    arm = {"arm": {"maximum": 2, "architecture": "ARM64", "instance_types": ["t4g.small"]}}

    def build() -> None:
        opts = provider()
        section = ImagedSettings.model_validate_json(json.dumps({"image": BUILT}))
        Shared("hello", platform(opts, cluster={"instances": arm}), section, opts).deploy()

    assert one(record(build), "awsx:ecr:Image").inputs["platform"] == "linux/arm64"


REGISTRY = "777788889999.dkr.ecr.eu-west-1.amazonaws.com"


class Parts(Workload[TaskSettings]):
    """A workload of several images, one of which has a name of its own."""

    def deploy(self) -> Outputs:
        """Take them all."""
        taken = {
            "own": self.image(),
            "part": self.image(folder="part"),
            "named": self.image(folder="other", repository="hello-other"),
        }
        return {key: image.uri for key, image in taken.items()}


def parts(image: Mapping[str, Any], **on_stack: Any) -> tuple[list[Recorded], dict[str, Any]]:
    """Make such a workload with *image*; return what was registered, and each image."""
    uris: dict[str, Any] = {}

    def build() -> None:
        opts = provider()
        section = TaskSettings.model_validate_json(json.dumps({"image": image}))
        uris.update(Parts("hello", platform(opts, **on_stack), section, opts).deploy())

    return record(build), uris


def test_by_its_digest_alone_an_image_is_where_the_stack_says_that_images_are() -> None:
    """One digest for every stack: pushed once, by whoever made the repositories."""
    resources, uris = parts(PINNED, image_registry=REGISTRY)
    assert not of_type(resources, "ecr/repository:Repository")
    assert uris == {
        "own": f"{REGISTRY}/hello@{DIGEST}",
        "part": f"{REGISTRY}/hello/part@{DIGEST}",
        "named": f"{REGISTRY}/hello-other@{DIGEST}",
    }


def test_the_repository_that_a_section_names_goes_before_the_stacks_registry() -> None:
    elsewhere = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/other"
    _, uris = parts({"repository": elsewhere, **PINNED}, image_registry=REGISTRY)
    assert set(uris.values()) == {f"{elsewhere}@{DIGEST}"}


def test_what_a_stack_builds_beside_a_registry_is_under_its_stage(tmp_path: Path) -> None:
    """The registry may be of the same account, where the plain name is taken."""
    for folder in ("part", "other"):
        (tmp_path / "apps/hello" / folder).mkdir()
        (tmp_path / "apps/hello" / folder / "Dockerfile").write_text("FROM scratch\n")
    names = [
        {each.inputs["name"] for each in of_type(parts(BUILT, **said)[0], "ecr/repository:Repository").values()}
        for said in ({}, {"image_registry": REGISTRY})
    ]
    assert names == [
        {"hello", "hello/part", "hello-other"},
        {"test/hello/service", "test/hello/part", "test/hello/other"},
    ]


def test_an_image_in_another_repository_needs_none_here() -> None:
    elsewhere = {"repository": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/hello", **PINNED}
    assert not of_type(made(elsewhere), "ecr/repository:Repository")
