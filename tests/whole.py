"""The repository's own program, run once for each of its stacks."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rehearsal import program, schema, stand_ins
from rehearsal.graph import Answer, Registered
from tests.certificates import validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[1]


class Answers:
    """Stands for AWS: every computed property of a resource is ``<its logical name>.<property>``."""

    def knows(self, token: str) -> bool:
        """Know what the rehearsal knows."""
        return stand_ins.knows(token)

    def make(self, resource: Registered) -> Answer:
        """Answer all that the provider would compute."""
        computed = schema.outputs_of(resource.type) - schema.inputs_of(resource.type).keys()
        outputs: dict[str, Any] = {key: f"{resource.name}.{key}" for key in {*computed, "imageUri"}}
        return Answer(id=f"{resource.name}.id", outputs=outputs | structured(resource))


def structured(resource: Registered, secrets: str = "secret:") -> dict[str, Any]:
    """Return what AWS computes of *resource* and is more than a text; the ARNs of *secrets* begin with that."""
    match resource.type:
        case "aws:acm/certificate:Certificate":
            return {"domainValidationOptions": validation(resource.inputs)}
        case "aws:cloudformation/stack:Stack":
            return {"outputs": {"Arn": f"{secrets}{resource.name}"}}
        case "aws:rds/instance:Instance":
            return {"masterUserSecrets": [{"secretArn": f"{secrets}rds!db-{resource.name}"}]}
        case _:
            return {}


@dataclass(frozen=True, kw_only=True)
class Whole:
    """What one run of the program registered and handed out."""

    graph: list[Registered]
    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]

    def of(self, token: str) -> dict[str, Registered]:
        """Return the resources whose type ends in *token*, by logical name."""
        return {each.name: each for each in self.graph if each.type.endswith(token)}

    def one(self, token: str, name: str | None = None) -> Registered:
        """Return the only resource whose type ends in *token* (and of logical *name*)."""
        found = [each for each in self.graph if each.type.endswith(token) and name in (None, each.name)]
        assert len(found) == 1, f"{len(found)} of {token} {name or ''}"
        return found[0]

    def below(self, component: Registered) -> Iterator[Registered]:
        """Yield what is within *component*, at any depth."""
        for each in self.graph:
            if each.parent == component.urn:
                yield each
                yield from self.below(each)

    def of_workload(self, name: str) -> Whole:
        """Return it as if the stack had no other workload than *name*."""
        others = {
            below.urn
            for each in self.graph
            if not each.custom and ":pulumi:Stack::" in each.parent and each.name not in ("platform", name)
            for below in (each, *self.below(each))
        }
        return dataclasses.replace(self, graph=[each for each in self.graph if each.urn not in others])


def run(project: Path, stack: str, *, preview: bool) -> Whole:
    """Run the program of *project*; nothing is made of it in either case, but in a *preview* ids are unknown."""
    maker = stand_ins.Preview() if preview else Answers()
    result = program.run(project, stack, preview=preview, maker=maker)
    assert result.error is None, result.error
    return Whole(graph=result.graph, outputs=result.outputs, secret_outputs=result.secret_outputs)


@functools.cache
def previewed(stack: str) -> Whole:
    """Return what a first preview of *stack* knows."""
    return run(ROOT, stack, preview=True)


@functools.cache
def deployed(stack: str) -> Whole:
    """Return *stack* with every answer of AWS's known."""
    return run(ROOT, stack, preview=False)
