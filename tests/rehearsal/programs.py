"""Small Pulumi programs for tests, and a maker that stands for AWS."""

from __future__ import annotations

import textwrap
import threading
from typing import TYPE_CHECKING

from rehearsal import program
from rehearsal.graph import Answer, Registered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PREAMBLE = """
import pulumi
import pulumi_aws as aws
provider = aws.Provider("aws", region="eu-west-1", default_tags={"tags": {"Project": "shop", "Service": "platform"}})
options = pulumi.ResourceOptions(provider=provider)
"""


class Made:
    """Makes anything at once, with an ARN; *make* may do otherwise for some."""

    def __init__(self, make: Callable[[Registered], Answer | None] = lambda _: None) -> None:
        self.made: list[str] = []
        self._make = make
        self._lock = threading.Lock()

    def knows(self, token: str) -> bool:
        """Know all types but those of Glacier."""
        return "glacier" not in token

    def make(self, resource: Registered) -> Answer:
        """Answer an id and an ARN."""
        answer = self._make(resource) or Answer(
            id=f"{resource.name}-id", outputs={"arn": f"arn:aws:x:eu-west-1:123456789012:{resource.name}"}
        )
        with self._lock:
            self.made.append(resource.name)
        return answer


def write(folder: Path, source: str, *, preamble: str = PREAMBLE, **files: str) -> Path:
    """Write a project whose program is *source*, with more *files* beside it (their names without ``.py``)."""
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    (folder / "__main__.py").write_text(preamble + textwrap.dedent(source))
    for name, content in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(content))
    return folder


def run(
    folder: Path, source: str = "", *, preview: bool = False, maker: Made | None = None, **files: str
) -> program.Result:
    """Write and run a program."""
    return program.run(write(folder, source, **files), "dev", preview=preview, maker=maker or Made())


def refusal(result: program.Result) -> str:
    """Return the message of a run that was refused, and hold that it came without a traceback."""
    assert result.error is not None, "the run was not refused"
    assert not result.error.traceback, result.error.traceback
    return result.error.message


def named(result: program.Result, name: str, token: str = "") -> Registered:
    """Return the one resource called *name*, of a type that ends in *token*."""
    (found,) = (each for each in result.graph if each.name == name and each.type.endswith(token))
    return found
