"""How to use a rehearsal that stays up: the AWS CLI, boto3, and the workloads' own entrances."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehearsal import keeping
from rehearsal.client import Client
from rehearsal.requests import EntranceError, check_names, output_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rehearsal.emulator import Emulator
    from rehearsal.origins import Origins
    from rehearsal.script import Request, Script


def told(emulator: Emulator, scripts: Mapping[str, Script], outputs: Mapping[str, Any], origins: Origins) -> str:
    """Return lines for a shell: they work as they stand, in a shell of one's own.

    *origins* are where load balancers answer a browser, which cannot be told whom a request is for; one is told of
    where a script expects a page.
    """
    lines = [
        f"It stays up until `{sys.executable} -m rehearsal down`. In another shell:",
        "",
        *(f"  export {name}={value}" for name, value in emulator.environment.items()),
        "  aws ecs list-clusters",
        f"""  {sys.executable} -c 'import boto3; print(boto3.client("ecs").list_clusters()["clusterArns"])'""",
    ]
    client = Client(emulator.endpoint, origins.domains)
    handed_out = outputs.get("workloads", {})
    for workload, followed in scripts.items():
        try:
            check_names(workload, handed_out.get(workload, {}), followed)
        except EntranceError:
            continue  # told among the errors, or not there since the deployment failed
        # The last good request of each entrance: the first is often a health check, and what was kept is told nobody.
        good = [each for each in followed.requests if each.expect.status < 300 and not keeping.names(each)]  # noqa: PLR2004
        last = {request.entrance: request for request in good}
        pages = {request.entrance for request in followed.requests if _is_a_page(request)}
        for entrance, request in last.items():
            url = output_of(workload, handed_out[workload], entrance)
            key = output_of(workload, handed_out[workload], request.api_key) if request.api_key else ""
            lines += ["", f"  # {workload}: {request.name}", f"  {client.curl(url, request, key=key)}"]
            if entrance in pages and (here := origins.here(url)) != url:
                lines.append(f"  # in a browser: {here}")
    return "\n".join(lines)


def _is_a_page(request: Request) -> bool:
    """Whether HTML is expected, which is for a browser to show."""
    said = {name.lower(): value.lower() for name, value in request.expect.headers.items()}
    return request.method == "GET" and said.get("content-type", "").startswith("text/html")
