"""What the README and the docs tell a newcomer to write works as it stands there."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.rehearsal.copies import PROJECT, copy, rehearse

if TYPE_CHECKING:
    from collections.abc import Mapping
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
_REPORT: Final = textwrap.dedent(
    """
    import json, os, sqlite3, sys, urllib.request

    try:
        rows = json.load(urllib.request.urlopen(os.environ["SOURCE_URL"]))
    except OSError as error:
        sys.exit(69)
    database = sqlite3.connect(os.path.join(os.environ["DATA_DIR"], "reports.db"))
    with database:
        database.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, amount INTEGER)")
        database.executemany("INSERT OR REPLACE INTO orders VALUES (:id, :amount)", rows)
    print(json.dumps({"outcome": "done", "rows": len(rows)}))
    """
)
_OUTSIDE: Final = textwrap.dedent(
    """
    import os
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    mode = "normal"


    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if (mode, self.path) == ("normal", "/orders") else 500)
            self.end_headers()
            self.wfile.write(b'[{"id": "o-1", "amount": 1250}, {"id": "o-2", "amount": 480}]')

        def do_POST(self):
            global mode
            mode = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(200)
            self.end_headers()


    server = ThreadingHTTPServer((os.environ["BIND_ADDRESS"], int(os.environ["PORT"])), Handler)
    print("listening on http://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
    """
)
_QUOTES: Final = textwrap.dedent(
    """
    import json, os, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            for index in range(5):
                time.sleep(0.1)
                self.wfile.write(json.dumps({"index": index, "server": os.environ["BIND_ADDRESS"]}).encode() + b"\\n")
            self.wfile.write(b'{"complete": true}\\n')


    ThreadingHTTPServer((os.environ["BIND_ADDRESS"], 9000), Handler).serve_forever()
    """
)
_WEB: Final = textwrap.dedent(
    """
    import itertools, json, os, urllib.request
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    import dns.resolver

    resolver = dns.resolver.Resolver(configure=False)
    host, port = os.environ["DNS_SERVER"].split(":")
    resolver.nameservers, resolver.port = [host], int(port)
    turn = itertools.count()


    def lines():
        for _ in range(4):  # a server that is just gone may still have its name
            addresses = sorted(each.address for each in resolver.resolve(os.environ["QUOTES_DNS"], "A"))
            server = addresses[next(turn) % len(addresses)]
            heard = b""
            try:
                with urllib.request.urlopen(f"http://{server}:{os.environ['QUOTES_PORT']}/", timeout=5) as answer:
                    for heard in answer:
                        yield heard
            except OSError:
                pass
            if heard:
                break
        if b"complete" not in heard:
            yield json.dumps({"complete": False, "error": {"status": "UNAVAILABLE"}}).encode()


    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            for line in [b"{}"] if self.path == "/health" else lines():
                self.wfile.write(line)


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


def snippet(document: str, language: str, mark: str) -> str:
    """Return the one block that has *mark* in it."""
    (found,) = (each for each in snippets(document, language) if mark in each)
    return found


def _add(
    project: Path, name: str, infrastructure: str, script: str, sources: Mapping[str, str], section: Any = None
) -> None:
    folder = project / "apps" / name
    for file, text in {"__init__.py": infrastructure, "rehearsal.yaml": script, **sources}.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
        if file.endswith("main.py"):
            (folder / file).with_name("Dockerfile").write_text(
                'FROM python:3.13-slim\nCOPY main.py ./\nCMD ["python", "main.py"]\n'
            )
    stack = project / "Pulumi.dev.yaml"
    file = yaml.safe_load(stack.read_text())
    file["config"]["drydock:workloads"][name] = section or {"image": _IMAGE}
    stack.write_text(yaml.safe_dump(file))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Rehearse dev with the README's workload, and with those that the docs put together piece by piece."""
    project = copy(tmp_path_factory.mktemp("newcomer") / "project")
    hello = snippet("README.md", "python", "class Hello")
    source = {
        "service/main.py": snippet("README.md", "python", "class Handler"),
        "service/Dockerfile": snippet("README.md", "dockerfile", "FROM"),
    }
    _add(project, "hello", hello, yaml.safe_dump(_ASKED), source)

    grants = snippet("docs/workloads.md", "python", "orders.grant(")
    settings = snippet("docs/workloads.md", "python", "class Orders(WebWorkload[Settings])")
    imported, body = grants.split("\n\n", 1)
    orders = settings.replace(
        "class Orders(WebWorkload[Settings]): ...",
        "class Orders(WebWorkload[Settings]):\n    def deploy(self):\n" + textwrap.indent(body, " " * 8),
    )
    script = snippet("docs/workloads.md", "yaml", "requests:")
    _add(project, "orders", f"{imported}\n{orders}", script, {"service/main.py": _SERVICE})

    _add(
        project,
        "reports",
        snippet("docs/workloads.md", "python", "class Reports"),
        snippet("docs/workloads.md", "yaml", "jobs:"),
        {"service/main.py": _REPORT, "rehearsal/orders.py": _OUTSIDE},
    )
    section = yaml.safe_load(snippet("docs/discovery.md", "yaml", "quotes:"))["drydock:workloads"]["quotes"]
    imported, body = snippet("docs/discovery.md", "python", "mail = NetworkLoadBalancer").split("\n\n", 1)
    quotes = snippet("docs/discovery.md", "python", "class Quotes")
    begins = "        on, said = self.on, self.settings\n"
    assert quotes.count(begins) == 1
    _add(
        project,
        "quotes",
        f"{imported}\n{quotes.replace(begins, begins + textwrap.indent(body, ' ' * 8))}",
        snippet("docs/workloads.md", "yaml", "streams:"),
        {"server/main.py": _QUOTES, "web/main.py": _WEB},
        section,
    )
    # The others have tests of their own, and take their time.
    alone = [f"--only={name}" for name in ("hello", "orders", "reports", "quotes")]
    return rehearse("up", project, "--stack", "dev", *alone, json_file=project / "result.json")


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


def test_the_docs_job_writes_to_its_file_system_and_tells_of_its_failure(ended: Ended) -> None:
    """By its schedule, through its guard, from the outside server to the database; and by its run-now command."""
    jobs = [each for each in ended.result["jobs"] if each["workload"] == "reports"]
    assert [(each["exit_code"], each["ok"]) for each in jobs] == [(0, True), (69, True)], ended.output


def test_the_docs_network_load_balancer_is_made(ended: Ended) -> None:
    """By itself, with nothing behind it."""
    made = {(each["type"], each["name"]) for each in ended.result["resources"]}
    assert ("aws:lb/listener:Listener", "mail-25") in made


def test_the_docs_client_finds_its_servers_and_loses_one(ended: Ended) -> None:
    """By the name that it was told, through the resolver that it was told."""
    streams = [each for each in ended.result["streams"] if each["workload"] == "quotes"]
    assert len(streams) == 3, ended.output
    assert all(each["ok"] for each in streams), ended.output
