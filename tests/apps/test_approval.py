"""Whoever is asked before a version serves is told how to answer, by each workload that has such a service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pulumi import Output

from apps.microservices import Microservices
from apps.workflow import Workflow
from tests.apps.stacks import IMAGE, platform, provider
from tests.components.recorder import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps._workload import Workload

ASKS = {"strategy": "canary", "approval_minutes": 30}
BALANCERS: dict[str, Any] = {"public_load_balancer": {"open_to": ["0.0.0.0/0"]}, "internal_load_balancer": {}}


def approvals(of: type[Workload[Any]], said: Mapping[str, Any]) -> dict[str, str]:
    """Return the commands that workload *of* hands out when it is deployed as *said*."""
    found: dict[str, str] = {}

    def build() -> None:
        opts = provider()
        section = of.settings_class().model_validate_json(json.dumps(said))
        outputs = of("it", platform(opts, **BALANCERS), section, opts).deploy()
        for key, value in outputs.items():
            if key.endswith("approve"):
                Output.from_input(value).apply(lambda command, key=key: found.update({key: command}))

    record(build)
    return found


def test_each_of_microservices_has_its_own() -> None:
    """Of one that asks nobody there is none."""
    each = {"blog": {"deployment": ASKS}, "news": {}}
    said = {"web": {"image": IMAGE, "deployment": ASKS}, "services": {"image": IMAGE, "each": each}}
    found = approvals(Microservices, said)
    assert found.keys() == {"web_approve", "blog_approve"}
    assert "--service it-blog.name --" in found["blog_approve"]


def test_workflows_is_its_gateways() -> None:
    """No requests of the agents' are shifted, so that nobody is asked."""
    agent: dict[str, Any] = {"image": IMAGE}
    found = approvals(Workflow, {"agent": agent, "gateway": {"image": IMAGE, "deployment": ASKS}})
    assert found.keys() == {"gateway_approve"}
    assert "--service it-gateway.name --" in found["gateway_approve"]
    assert not approvals(Workflow, {"agent": agent, "gateway": {"image": IMAGE}})
