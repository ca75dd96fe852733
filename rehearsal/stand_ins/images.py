"""Container images: ECR repositories, and the build of an image."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from rehearsal.containers.images import repository_of
from rehearsal.monitor import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _repository(this: Making) -> Answer:
    made = this.create("ecr:CreateRepository", apart=["forceDelete"], rename={"name": "repositoryName"})["repository"]
    return this.answer(
        this["name"],
        made,
        arn=made["repositoryArn"],
        registryId=made["registryId"],
        # The registry's address as AWS has it, whatever the emulator answers: policies and task definitions name it.
        repositoryUrl=f"{this.aws.account}.dkr.ecr.{this.aws.region}.amazonaws.com/{this['name']}",
    )


_REPOSITORY: Final = {"repository": "repositoryName"}


def _lifecycle_policy(this: Making) -> Answer:
    this.create("ecr:PutLifecyclePolicy", rename=_REPOSITORY | {"policy": "lifecyclePolicyText"})
    return this.answer(this["repository"], registryId=this.aws.account)


def _repository_policy(this: Making) -> Answer:
    this.create("ecr:SetRepositoryPolicy", rename=_REPOSITORY | {"policy": "policyText"})
    return this.answer(this["repository"], registryId=this.aws.account)


def _image(this: Making) -> Answer:
    """Find what would be built, and name it by its content. Nothing is built: the workload's own code runs instead."""
    # A component of Node's, in whose stead no AWS call can be held against a model.
    this.validate_only()
    context = this.aws.project_dir / this.get("context", ".")
    dockerfile = this.aws.project_dir / this["dockerfile"] if "dockerfile" in this.inputs else context / "Dockerfile"
    for path, what in ((context, "context"), (dockerfile, "dockerfile")):
        if not path.exists():
            raise Refused(f"{this.resource.type} {this.resource.name!r}: its {what} is {path}, where there is nothing")
    url = this["repositoryUrl"]
    return this.answer("", imageUri=f"{url}@{this.aws.rebuilt.get(repository_of(url)) or f'sha256:{_digest(context)}'}")


def _digest(folder: Path) -> str:
    """Return a digest of all that a build would see: the same source has the same image."""
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and "node_modules" not in path.parts:
            content.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()


TABLE: Final[Table] = {
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _lifecycle_policy,
    "aws:ecr/repository:Repository": _repository,
    "aws:ecr/repositoryPolicy:RepositoryPolicy": _repository_policy,
    "awsx:ecr:Image": _image,
}
