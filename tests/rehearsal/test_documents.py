"""What the README and the docs tell a newcomer to write works as it stands there."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from tests.rehearsal.copies import PROJECT, copy, rehearse

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rehearsal.copies import Ended

_SERVICE: Final = textwrap.dedent(
    """
    import json, os
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    import boto3


    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer = {"path": self.path}
            if "TABLE" in os.environ and self.path != "/health":
                table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
                answer = table.get_item(Key={"id": self.path.rpartition("/")[2]})["Item"]
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


    ThreadingHTTPServer((os.environ["BIND_ADDRESS"], 8080), Handler).serve_forever()
    """
)
_IMAGE: Final = {"digest": "sha256:" + "a" * 64}
_ASKED: Final = {
    "requests": [
        {"name": "it answers", "entrance": "url", "method": "GET", "path": "/hello", "expect": {"status": 200}},
    ]
}


def snippets(document: str, language: str) -> list[str]:
    """Return the blocks of *language* in a *document* of the repository."""
    return re.findall(rf"```{language}\n(.*?)```", (PROJECT / document).read_text(), re.DOTALL)


def _add(project: Path, name: str, infrastructure: str, script: str) -> None:
    folder = project / "apps" / name
    (folder / "service").mkdir(parents=True)
    (folder / "__init__.py").write_text(infrastructure)
    (folder / "rehearsal.yaml").write_text(script)
    (folder / "service" / "main.py").write_text(_SERVICE)
    (folder / "service" / "Dockerfile").write_text(
        'FROM python:3.13-slim\nCOPY main.py ./\nCMD ["python", "main.py"]\n'
    )
    stack = project / "Pulumi.dev.yaml"
    file = yaml.safe_load(stack.read_text())
    file["config"]["drydock:workloads"][name] = {"image": _IMAGE}
    stack.write_text(yaml.safe_dump(file))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Rehearse dev with the README's workload, and with the one that the docs put together piece by piece."""
    project = copy(tmp_path_factory.mktemp("newcomer") / "project")
    (hello,) = (each for each in snippets("README.md", "python") if "class Hello" in each)
    _add(project, "hello", hello, yaml.safe_dump(_ASKED))

    grants, settings = (
        next(each for each in snippets("docs/workloads.md", "python") if mark in each)
        for mark in ("orders.grant(", "class Orders(WebWorkload[Settings])")
    )
    imported, body = grants.split("\n\n", 1)
    orders = settings.replace(
        "class Orders(WebWorkload[Settings]): ...",
        "class Orders(WebWorkload[Settings]):\n    def deploy(self):\n" + textwrap.indent(body, " " * 8),
    )
    (script,) = (each for each in snippets("docs/workloads.md", "yaml") if "requests:" in each)
    _add(project, "orders", f"{imported}\n{orders}", script)
    return rehearse("up", project, "--stack", "dev", json_file=project / "result.json")


def test_the_readmes_workload_answers_behind_the_load_balancer(ended: Ended) -> None:
    """A newcomer's first ten minutes."""
    assert ended.code == 0, ended.output
    (asked,) = [each for each in ended.result["requests"] if each["workload"] == "hello"]
    assert (asked["status"], asked["ok"]) == (200, True)


def test_the_docs_workload_reads_its_table_under_its_own_role(ended: Ended) -> None:
    """With a region that nobody told it, as ECS has it."""
    (asked,) = [each for each in ended.result["requests"] if each["workload"] == "orders"]
    assert (asked["status"], asked["ok"]) == (200, True), ended.output
    assert "role 'orders-task': granted, not exercised: dynamodb:PutItem" in ended.output
