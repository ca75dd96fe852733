"""Agents at addresses of their own, the name server that knows them, and the gateway: all as processes on loopback."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

FOLDER = Path(__file__).parents[3] / "apps" / "workflow"
NAME = "workflow-agent.workflow.local"
READY_SECONDS = 30


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


class Names:
    """A name server with one zone: `NAME`, with an A record for each registered address."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.asked = 0
        names = self

        class Question(socketserver.DatagramRequestHandler):
            def handle(self) -> None:
                self.wfile.write(names.answer(dns.message.from_wire(self.rfile.read())).to_wire())

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Question)
        self.at = f"127.0.0.1:{self._server.server_address[1]}"

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer a question."""
        self.asked += 1
        answer = dns.message.make_response(query)
        question, addresses = query.question[0], list(self.addresses)
        if question.name.to_text() != f"{NAME}." or not addresses:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text_list(question.name, 10, question.rdclass, "A", addresses))
        return answer

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Process:
    """A container's process, in *variables* and no other environment; its log is read as it comes."""

    def __init__(self, container: str, **variables: str) -> None:
        environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "GRPC_VERBOSITY": "NONE"}
        self.lines: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "main.py"],
            cwd=FOLDER / container,
            env={**environment, **variables},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(json.loads(line))

    def said(self, message: str) -> bool:
        """Tell whether there is such a line in its log."""
        return any(line["message"] == message for line in self.lines)

    def wait_for(self, message: str, seconds: float = READY_SECONDS) -> Self:
        """Wait until there is."""
        ends = time.monotonic() + seconds
        while not self.said(message):
            assert self._process.poll() is None, f"ended with {self._process.returncode}: {self.lines[-1:]}"
            assert time.monotonic() < ends, f"no line {message!r} within {seconds} seconds"
            time.sleep(0.01)
        return self

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, seconds: float = 30) -> int:
        """Wait for its end and its last line; return the exit code."""
        code = self._process.wait(seconds)
        self._reader.join(5)
        assert self._process.stdout
        self._process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        if not self._process.stdout.closed:  # type: ignore[union-attr]
            self.end()


class Agent(Process):
    """An agent at an address of its own."""

    def __init__(self, address: str, port: int) -> None:
        super().__init__("agent", BIND_ADDRESS=address, GRPC_PORT=str(port))
        self.address = address
        self.port = port


class Gateway(Process):
    """A gateway, and what it answers over HTTP."""

    def __init__(self, **variables: str) -> None:
        self.port = free_port()
        super().__init__("gateway", BIND_ADDRESS="127.0.0.1", PORT=str(self.port), **variables)

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, seconds: float = 30
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """Send one request on a connection of its own: status, headers, and the body read to its end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            sent = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, sent, {**kind, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def metric(self, sample: str) -> float:
        """Read one sample of its metrics; 0 where there is none."""
        for line in self.ask("GET", "/metrics")[2].splitlines():
            if line.startswith(f"{sample} "):
                return float(line.split()[1])
        return 0.0


class Fleet:
    """Agents that are registered when they listen, each replaced at a new address, as tasks are."""

    def __init__(self, size: int) -> None:
        self._size = size
        # An address in 127.0.0.0/8 that nobody else uses: several of these may run on one host.
        self._network = f"127.{random.randint(64, 254)}.{random.randint(0, 254)}"  # noqa: S311 -- no secret
        self._last = 0
        self.port = free_port(f"{self._network}.1")
        self.names = Names()
        self.agents: list[Agent] = []
        self._gone: list[Agent] = []

    @property
    def environment(self) -> dict[str, str]:
        """What a gateway is told to find them by DNS."""
        return {
            "WORKFLOW_SERVICE_DNS": NAME,
            "WORKFLOW_SERVICE_PORT": str(self.port),
            "DNS_SERVER": self.names.at,
        }

    def __enter__(self) -> Self:
        self.names.__enter__()
        started = [self._start() for _ in range(self._size)]
        for agent in started:
            self._register(agent)
        return self

    def __exit__(self, *_: object) -> None:
        for agent in (*self.agents, *self._gone):
            agent.__exit__()
        self.names.__exit__()

    def kill_and_replace(self) -> None:
        """End the agent that was there longest without a word; the registry learns of it only after a while."""
        victim = self.agents[0]
        victim.send(signal.SIGKILL)
        successor = self._start()
        time.sleep(0.2)
        self._deregister(victim)
        self._register(successor)

    def roll(self) -> list[int]:
        """Replace all, one by one, as ECS does: a new one first, then SIGTERM; return their exit codes."""
        codes: list[int] = []
        for agent in list(self.agents):
            self._register(self._start())
            self._deregister(agent)
            agent.send(signal.SIGTERM)
            codes.append(agent.end())
        return codes

    def _start(self) -> Agent:
        self._last += 1
        return Agent(f"{self._network}.{self._last}", self.port)

    def _register(self, agent: Agent) -> None:
        agent.wait_for("listening")
        self.agents.append(agent)
        self.names.addresses.append(agent.address)

    def _deregister(self, agent: Agent) -> None:
        self.names.addresses.remove(agent.address)
        self.agents.remove(agent)
        self._gone.append(agent)
