"""The repository's program, deployed where each resource has an id and an ARN of its own.

In `tests.whole` a resource is known by its logical name, which two of one workload often share: not enough to say who
may do what, and who is let in where.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from policies.rules.iam import documents, statements, trusts
from rehearsal import program, stack_file
from rehearsal.autoname import Names
from rehearsal.graph import Answer, Registered
from tests.whole import ROOT, Answers, Whole, structured

if TYPE_CHECKING:
    from pathlib import Path

    from policies.rules.iam.statements import Fault
    from rehearsal.stack_file import StackFile

ACCOUNTS: Final = {"dev": "111122223333", "prod": "444455556666"}
REGION: Final = "ap-southeast-1"

# Where ARNs are made otherwise than of the provider's words.
_SERVICES: Final = {
    "efs": "elasticfilesystem",
    "lb": "elasticloadbalancing",
    "sfn": "states",
    "vpclattice": "vpc-lattice",
}
_FORMS: Final = {
    "private-dns-namespace": "namespace/{name}",
    "queue": "{name}",
    "state-machine": "stateMachine:{name}",
    "topic": "{name}",
}


Port = int | tuple[int, int]
"""One, or the first and the last of a range."""


class Exact(Answers):
    """Stands for AWS: ids as `title` has them, and ARNs that read as AWS's do."""

    def __init__(self, account: str) -> None:
        self._account = account

    def make(self, resource: Registered) -> Answer:
        """Answer all that the provider would compute."""
        computed = super().make(resource).outputs
        outputs: dict[str, Any] = {key: f"{title(resource)}.{key}" for key in computed}
        if "arn" in outputs:
            outputs["arn"] = self._arn(resource)
        if "dnsEntries" in outputs:
            outputs["dnsEntries"] = [{"domainName": f"{resource.name}.on.aws"}]
        secrets = f"arn:aws:secretsmanager:{REGION}:{self._account}:secret:"
        # A service of ECS's has no other id than its ARN.
        id_ = outputs["arn"] if resource.type == "aws:ecs/service:Service" else title(resource)
        return Answer(id=id_, outputs=outputs | structured(resource, secrets))

    def _arn(self, resource: Registered) -> str:
        service, kind, _ = re.split("[/:]", resource.type.removeprefix("aws:"))
        kind = re.sub("([A-Z])", r"-\1", kind).lower()
        if (service, kind) == ("s3", "bucket"):
            return f"arn:aws:s3:::{resource.name}"
        region = "" if service == "iam" else REGION
        whose = f"arn:aws:{_SERVICES.get(service, service)}:{region}:{self._account}"
        # Another definition is another revision, and whoever names it changes with it.
        said = hashlib.sha256(json.dumps(resource.inputs, sort_keys=True, default=str).encode()).hexdigest()[:8]
        revision = f":{said}" if kind == "task-definition" else ""
        return f"{whose}:{_FORMS.get(kind, kind + '/{name}').format(name=resource.name)}{revision}"


def title(resource: Registered) -> str:
    """Return what tells *resource* from all others: ``Service/ec2.SecurityGroup parking-etl``."""
    *above, own = resource.urn.split("::")[2].split("$")
    parent = f"{above[-1].split(':')[-1]}/" if above else ""
    package, module, kind = own.split(":")
    return f"{parent}{(module if package == 'aws' else package).split('/')[0]}.{kind} {resource.name}"


def run(project: Path, stack: str | StackFile, maker: Exact | None = None) -> Whole:
    """Run the program of *project*. Physical names are the same in every run."""
    account = ACCOUNTS[stack if isinstance(stack, str) else stack.stack]
    result = program.run(project, stack, preview=False, maker=maker or Exact(account), names=Names(seed=0))
    assert result.error is None, result.error
    return Whole(graph=result.graph, outputs=result.outputs, secret_outputs=result.secret_outputs)


@functools.cache
def deployed(stack: str) -> Whole:
    """Return *stack* of this repository with every answer of AWS's known."""
    return run(ROOT, stack)


def alone(stack: str, workload: str, maker: Exact | None = None, **changed: Any) -> Whole:
    """Return *stack* with *workload* and no other, whose section has *changed* in it."""
    said = stack_file.read(ROOT, stack).only([workload])
    sections = json.loads(said.config["drydock:workloads"])
    config = said.config | {"drydock:workloads": json.dumps({workload: {**sections[workload], **changed}})}
    return run(ROOT, dataclasses.replace(said, config=config), maker)


def policies(whole: Whole, workload: str) -> dict[str, list[dict[str, Any]]]:
    """Return all that the roles of *workload* may do, by the policy's logical name, statement by statement.

    As ``{"Action": ..., "Resource": ...}``, with its `Condition` if it has one: each of them allows.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for each in whole.below(whole.one(f"index:{workload}")):
        if each.type == "aws:iam/rolePolicy:RolePolicy":
            document = json.loads(each.inputs["policy"])
            assert document["Version"] == "2012-10-17"
            assert {statement.pop("Effect") for statement in document["Statement"]} == {"Allow"}
            found[each.name] = document["Statement"]
    return found


def trusted(whole: Whole, workload: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return who takes on each role of *workload*, by its logical name: a service, and under which conditions."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for each in whole.below(whole.one(f"index:{workload}")):
        if each.type == "aws:iam/role:Role":
            (statement,) = json.loads(each.inputs["assumeRolePolicy"])["Statement"]
            assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
            found[each.name] = statement["Principal"]["Service"], statement.get("Condition", {})
    return found


def faults(allowed: list[dict[str, Any]], *, task_role: bool) -> list[Fault]:
    """Return what the pack for least privilege has against statements that `policies` returned."""
    document = documents.parse(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in allowed]}
    )
    assert document is not None
    return statements.judge(document, [trusts.TASKS], task_role=task_role)


def doors(whole: Whole) -> set[tuple[str, Port, str]]:
    """Return each way into a security group of *whole*: the group, the port, and whom it lets in."""
    return {(said["securityGroupId"], *_way(said)) for said in _rules(whole, ":SecurityGroupIngressRule")}


def exits(whole: Whole) -> set[tuple[str, Port, str]]:
    """Return each way out of one: the group, the port, and to whom."""
    return {(said["securityGroupId"], *_way(said)) for said in _rules(whole, ":SecurityGroupEgressRule")}


def _rules(whole: Whole, token: str) -> list[dict[str, Any]]:
    return [each.inputs for each in whole.graph if each.type.endswith(token)]


def _way(said: dict[str, Any]) -> tuple[Port, str]:
    assert said["ipProtocol"] == "tcp"
    first, last = said["fromPort"], said["toPort"]
    whose = said.get("cidrIpv4") or said.get("prefixListId") or said["referencedSecurityGroupId"]
    return first if first == last else (first, last), whose
