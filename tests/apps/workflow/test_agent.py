"""The agent's process: what it answers, what it refuses, and how it goes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.apps.workflow.conftest import module
from tests.apps.workflow.fleet import Agent, Process, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

api = module("workflow_api.workflow_agent_pb2")
stubs = module("workflow_api.workflow_agent_pb2_grpc")

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@contextmanager
def channel(agent: Agent) -> Iterator[grpc.Channel]:
    """Make a connection of one's own."""
    with grpc.insecure_channel(
        f"ipv4:{agent.address}:{agent.port}", options=[("grpc.use_local_subchannel_pool", 1)]
    ) as made:
        grpc.channel_ready_future(made).result(10)
        yield made


def process(on: grpc.Channel, seconds: float = 10, metadata: Any = None, **fields: Any) -> Any:
    request = api.ConversationRequest(**{"conversation_id": "c-1", "text": "how are you", **fields})
    return stubs.WorkflowAgentStub(on).ProcessConversation(request, timeout=seconds, metadata=metadata)


def refusal(on: grpc.Channel, **fields: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        list(process(on, **fields))
    error: Any = caught.value
    return error.code(), error.details()


def health(on: grpc.Channel, name: str = "") -> int:
    return int(health_pb2_grpc.HealthStub(on).Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status)


def test_each_word_is_answered_once_in_order_and_the_last_one_says_so(agent: Agent) -> None:
    with channel(agent) as on:
        replies = list(process(on))
    assert [(reply.index, reply.text, reply.final) for reply in replies] == [
        (0, "HOW", False),
        (1, "ARE", False),
        (2, "YOU", True),
    ]
    assert {(reply.conversation_id, reply.agent) for reply in replies} == {("c-1", f"{agent.address}:{agent.port}")}


def test_messages_come_at_the_pace_that_is_asked_for(agent: Agent) -> None:
    with channel(agent) as on:
        began = time.monotonic()
        stream = process(on, text="how are", pace_ms=400)
        next(stream)
        assert 0.39 < time.monotonic() - began < 0.79, "the first comes before the second is due"
        list(stream)
        assert time.monotonic() - began > 0.79


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"conversation_id": ""}, "conversation_id is ''"),
        ({"conversation_id": "../passwd"}, "conversation_id is '../passwd'"),
        ({"conversation_id": "c" * 65}, "1 to 64 letters"),
        ({"text": " "}, "text has 0 words in 1 characters"),
        ({"text": "a " * 1001}, "text has 1001 words"),
        ({"text": "a" * 8001}, "text has 1 words in 8001 characters"),
        ({"pace_ms": 1001}, "pace_ms is 1001: 0 to 1000 would do"),
        ({"text": "a " * 1000, "pace_ms": 21}, "over 20 s together: 20 or less would do"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_what_would_do(agent: Agent, fields: dict[str, Any], said: str) -> None:
    with channel(agent) as on:
        code, details = refusal(on, **fields)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert said in details


def test_what_is_just_within_bounds_is_answered(agent: Agent) -> None:
    with channel(agent) as on:
        assert len(list(process(on, conversation_id="c" * 64, text="abcdefg " * 1000))) == 1000


def test_a_deadline_ends_the_work_too(agent: Agent) -> None:
    with channel(agent) as on:
        stream = process(on, seconds=0.3, pace_ms=1000, metadata=[("x-request-id", "late-1")])
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    line = wait_for_line(agent, "late-1")
    assert (line["status"], line["messages"]) == ("CANCELLED", 0)
    assert line["ms"] < 1000


def test_a_request_leaves_a_line_with_its_id_and_none_of_its_text(agent: Agent) -> None:
    with channel(agent) as on:
        list(process(on, text="secret words", metadata=[("x-request-id", "told-1")]))
    line = wait_for_line(agent, "told-1")
    assert (line["level"], line["conversation_id"], line["status"], line["messages"]) == ("info", "c-1", "OK", 2)
    assert "secret" not in str(agent.lines).lower()


def wait_for_line(agent: Agent, request_id: str) -> dict[str, Any]:
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        for line in list(agent.lines):
            if line.get("request_id") == request_id:
                return line
        time.sleep(0.01)
    pytest.fail(f"no line of {request_id}")


def test_it_is_healthy_under_both_names(agent: Agent) -> None:
    """Load balancers ask for the server, other clients for the service."""
    with channel(agent) as on:
        assert (health(on), health(on, "WorkflowAgent")) == (SERVING, SERVING)


def test_reflection_tells_the_contract(agent: Agent) -> None:
    """A developer's tools need no file."""
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="WorkflowAgent"),
    ]
    with channel(agent) as on:
        stub = reflection_pb2_grpc.ServerReflectionStub(on)
        listed, found = stub.ServerReflectionInfo(iter(questions), timeout=5)
    assert {service.name for service in listed.list_services_response.service} == {
        "WorkflowAgent",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    contract = FileDescriptorProto.FromString(found.file_descriptor_response.file_descriptor_proto[0])
    (method,) = contract.service[0].method
    assert (method.name, method.client_streaming, method.server_streaming) == ("ProcessConversation", False, True)


def test_a_full_agent_refuses_at_once_and_is_well() -> None:
    """Queued calls would all be late, and a health check that fails makes a busy task a dead one."""
    with Agent("127.0.0.1", free_port()) as agent, channel(agent.wait_for("listening")) as on:
        held = [process(on, text="a b c d e f g h", pace_ms=1000) for _ in range(256)]
        ends = time.monotonic() + 10
        while refused_one(on) is not grpc.StatusCode.RESOURCE_EXHAUSTED:
            assert time.monotonic() < ends
        assert health(on) == SERVING
        for call in held:
            call.cancel()
        while refused_one(on) is not None:
            assert time.monotonic() < ends


def refused_one(on: grpc.Channel) -> grpc.StatusCode | None:
    try:
        list(process(on))
    except grpc.RpcError as error:
        refused: Any = error
        return refused.code()
    return None


def test_sigterm_finishes_what_is_in_flight_says_so_and_takes_no_more() -> None:
    with Agent("127.0.0.1", free_port()) as agent, channel(agent.wait_for("listening")) as on:
        statuses = health_pb2_grpc.HealthStub(on).Watch(health_pb2.HealthCheckRequest(), timeout=10)
        assert next(statuses).status == SERVING
        stream = process(on, pace_ms=400)
        next(stream)
        agent.send(signal.SIGTERM)
        assert next(statuses).status == NOT_SERVING
        assert refused_one(on) is grpc.StatusCode.UNAVAILABLE
        time.sleep(0.5)
        with pytest.raises(OSError, match="refused"), socket.create_connection((agent.address, agent.port), 1):
            pass
        assert [reply.text for reply in stream] == ["ARE", "YOU"]
        began = time.monotonic()
        assert agent.end() == 0
        assert time.monotonic() - began < 2, "whoever watches its health holds nothing up"
        assert agent.lines[-1]["message"] == "stopped"


def test_sigterm_ends_an_idle_agent_at_once() -> None:
    with Agent("127.0.0.1", free_port()) as agent:
        agent.wait_for("listening")
        began = time.monotonic()
        agent.send(signal.SIGTERM)
        assert agent.end() == 0
        assert time.monotonic() - began < 3


def test_two_agents_do_not_share_a_port(agent: Agent) -> None:
    """Each would have half of the calls, and a test of one would test the other."""
    with Agent(agent.address, agent.port) as second:
        assert second.end() == 1
        assert second.lines[-1]["message"] == f"cannot listen at {agent.address}:{agent.port}"


def test_without_a_bind_address_it_listens_where_grpc_host_says() -> None:
    port = free_port()
    with Process("agent", GRPC_HOST="127.0.0.1", GRPC_PORT=str(port)) as agent:
        line = agent.wait_for("listening").lines[-1]
    assert (line["address"], line["port"]) == ("127.0.0.1", port)


def test_an_unusable_environment_ends_it_with_one_line_that_names_each_variable() -> None:
    with Process("agent", GRPC_HOST="everywhere", GRPC_PORT="99999") as agent:
        assert agent.end() == 2
    (line,) = agent.lines
    assert "GRPC_HOST is 'everywhere': an IP address would do" in line["message"]
    assert "GRPC_PORT is '99999': a port from 1 to 65535 would do" in line["message"]


def check(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "healthcheck.py"],
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "GRPC_VERBOSITY": "NONE", **variables},
        cwd=folder / "agent",
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def test_the_health_check_finds_a_healthy_agent_well(folder: Path, agent: Agent) -> None:
    """By its own address, and at localhost where it would listen everywhere."""
    for told in ({"BIND_ADDRESS": agent.address}, {"GRPC_HOST": "0.0.0.0"}):
        ended = check(folder, GRPC_PORT=str(agent.port), **told)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_the_health_check_says_what_it_found_where_nothing_listens(folder: Path) -> None:
    ended = check(folder, BIND_ADDRESS="127.0.0.1", GRPC_PORT="1")
    assert ended.returncode == 1
    assert "127.0.0.1:1: UNAVAILABLE" in ended.stderr
    assert "Traceback" not in ended.stderr
