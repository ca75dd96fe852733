"""Runs policy packs as the Pulumi engine does: each a process of its own, asked over the genuine Analyzer protocol.

A pack starts in a quarter of a second and more, so it may be started early and asked later::

    with packs.start(folders, stack="dev", project="drydock", preview=True, environment=os.environ) as running:
        graph = ...  # evaluate the program meanwhile
        judgement = running.judge(graph)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto

from rehearsal.analyzer import Messages, client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import IO, Self

    from rehearsal.analyzer import Analyzer
    from rehearsal.graph import Registered

Level = Literal["mandatory", "advisory", "unproved"]
"""`unproved`: a mandatory policy that could not run for a value not known yet, which the engine would only note."""

_NO_ENGINE: Final = "127.0.0.1:1"
"""Packs are given the engine's address to log to. There is none; they log to stderr then."""
_CHANNEL: Final = [
    ("grpc.max_receive_message_length", 400 << 20),
    ("grpc.max_send_message_length", 400 << 20),
    ("grpc.enable_http_proxy", 0),  # packs are on this machine
]
_READY_SECONDS: Final = 30.0
_CALL_SECONDS: Final = 60.0


class PackError(Exception):
    """A pack did not start, refused its configuration, or failed: nothing it should have judged is proved."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One thing a pack said of one resource."""

    pack: str
    rule: str
    """The policy's name; the message begins with the finer rule, if it has one."""
    level: Level
    urn: str
    """The resource, or the stack for what concerns no single one."""
    message: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """All verdicts of all packs on one graph."""

    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether the engine would go on, and every mandatory policy was able to look."""
        return all(verdict.level == "advisory" for verdict in self.verdicts)

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        """The verdicts that stop a deployment."""
        return tuple(verdict for verdict in self.verdicts if verdict.level != "advisory")


@dataclass(kw_only=True)
class _Process:
    """One pack's process, from its start to its end."""

    folder: Path
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]
    configuration: Mapping[str, Any]
    port: int = 0
    name: str = ""
    levels: dict[str, str] = field(default_factory=dict[str, str])

    def stub(self) -> tuple[grpc.Channel, Analyzer]:
        """Connect once the pack says on which port it listens: its first line."""
        if not self.port and self.process.stdout:
            said = self.process.stdout.readline().decode(errors="replace").strip()
            if not said.isdigit():
                raise self.error(f"it said {said!r} before its port" if said else "it did not start")
            self.port = int(said)
        channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=_CHANNEL)
        return channel, client(channel)

    def error(self, what: str) -> PackError:
        """Tell *what* went wrong, with what the pack wrote to stderr."""
        self.complaints.seek(0)
        tail = self.complaints.read().decode(errors="replace").strip().splitlines()[-12:]
        return PackError("\n".join([f"policy pack {self.folder.name}: {what}", *tail]))

    def stop(self) -> None:
        """End the process; it holds nothing worth saving."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.complaints.close()


class Running:
    """Packs that have been started. Leaving the `with` block, or `stop`, ends them."""

    def __init__(self, processes: Sequence[_Process], stack: str, project: str, *, preview: bool) -> None:
        self._processes = processes
        self._stack, self._project, self._preview = stack, project, preview

    def judge(self, graph: Sequence[Registered]) -> Judgement:
        """Have every pack judge *graph*, whose order is that of registration, side by side.

        Raises:
            PackError: a pack did not start, refused its configuration, or failed.

        """
        sent = Messages.of(graph)
        stack_urn = f"urn:pulumi:{self._stack}::{self._project}::pulumi:pulumi:Stack::{self._project}-{self._stack}"
        with ThreadPoolExecutor(max_workers=max(len(self._processes), 1)) as pool:
            asked = [pool.submit(self._ask, process, sent, stack_urn) for process in self._processes]
            return Judgement(verdicts=tuple(verdict for answer in asked for verdict in answer.result()))

    def _ask(self, process: _Process, sent: Messages, stack_urn: str) -> list[Verdict]:
        channel, stub = process.stub()
        with channel:
            try:
                self._introduce(process, stub)
                return list(_analyze(process, stub, sent, stack_urn))
            except grpc.RpcError as error:
                details = cast("grpc.Call", error).details() or "no answer"
                raise process.error(details) from error

    def _introduce(self, process: _Process, stub: Analyzer) -> None:
        """Do what the engine does before the first resource."""
        folder = str(process.folder)
        shake = proto.AnalyzerHandshakeRequest(
            engine_address=_NO_ENGINE, root_directory=folder, program_directory=folder
        )
        try:
            stub.Handshake(shake, wait_for_ready=True, timeout=_READY_SECONDS)
        except grpc.RpcError as error:
            if cast("grpc.Call", error).code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
        told = proto.AnalyzerStackConfigureRequest(stack=self._stack, project=self._project, dry_run=self._preview)
        stub.ConfigureStack(told, timeout=_CALL_SECONDS)
        info = stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=_CALL_SECONDS)
        process.name = info.name
        levels = {it.name: it.enforcementLevel for it in info.policies}
        configured = {name: proto.PolicyConfig(enforcementLevel=level) for name, level in levels.items()}
        for name, given in process.configuration.items():
            level, keys = _split(given, process)
            entry = configured.setdefault(name, proto.PolicyConfig(enforcementLevel=proto.MANDATORY))
            if level:
                entry.enforcementLevel = proto.EnforcementLevel.Value(level.upper())
            entry.properties.update(keys)
        process.levels = {name: _level(it.enforcementLevel) for name, it in configured.items()}
        stub.Configure(proto.ConfigureAnalyzerRequest(policyConfig=configured), timeout=_CALL_SECONDS)

    def stop(self) -> None:
        """End every pack's process."""
        for process in self._processes:
            process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start(
    pack_dirs: Iterable[Path],
    *,
    stack: str,
    project: str,
    preview: bool,
    environment: Mapping[str, str],
    configuration: Mapping[str, Mapping[str, Any]] | None = None,
) -> Running:
    """Start a process for each of *pack_dirs*, and return at once.

    Args:
        pack_dirs: folders with a `PulumiPolicy.yaml` and a `__main__.py`.
        stack: the stack's name.
        project: the project's name.
        preview: whether values may be unknown.
        environment: all of what the processes get as theirs.
        configuration: a pack folder's name → what `--policy-pack-config` would hold: a policy's name → an enforcement
            level, or an object of its keys and perhaps `enforcementLevel`. Default: what `config.<stack>.json` in
            each folder says, if it is there.

    Raises:
        PackError: a configuration cannot be read, or is for no pack.

    """
    folders = [folder.resolve() for folder in pack_dirs]
    given = _configured(folders, stack) if configuration is None else configuration
    if strange := sorted(set(given) - {folder.name for folder in folders}):
        raise PackError(f"configuration for {', '.join(strange)}, which is none of the packs run")
    told = {
        "PULUMI_PROJECT": project,
        "PULUMI_STACK": stack,
        "PULUMI_DRY_RUN": "true" if preview else "false",
        "PULUMI_ORGANIZATION": "organization",
    }
    processes: list[_Process] = []
    for folder in folders:
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process; a pipe nobody reads would fill
        process = subprocess.Popen(  # noqa: S603 - the engine's own command for a Python pack
            [sys.executable, "-u", "-m", "pulumi.policy", _NO_ENGINE, str(folder)],
            cwd=folder,
            env={**environment, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        one = _Process(folder=folder, process=process, complaints=complaints, configuration=given.get(folder.name, {}))
        processes.append(one)
    return Running(processes, stack, project, preview=preview)


def _configured(folders: Iterable[Path], stack: str) -> dict[str, dict[str, Any]]:
    """Read the files that `--policy-pack-config` would be given."""
    read: dict[str, dict[str, Any]] = {}
    for folder in folders:
        path = folder / f"config.{stack}.json"
        if not path.is_file():
            continue
        try:
            content: object = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise PackError(f"{path}: {error}; write a JSON object") from error
        if not isinstance(content, dict):
            raise PackError(f"{path} holds no object; write {{policy: {{key: value}}}}")
        read[folder.name] = cast("dict[str, Any]", content)
    return read


def judge(
    pack_dirs: Iterable[Path],
    graph: Sequence[Registered],
    *,
    stack: str,
    project: str,
    preview: bool,
    environment: Mapping[str, str],
    configuration: Mapping[str, Mapping[str, Any]] | None = None,
) -> Judgement:
    """Start the packs, have them judge *graph*, and stop them. Arguments and errors are those of `start`."""
    running = start(
        pack_dirs,
        stack=stack,
        project=project,
        preview=preview,
        environment=environment,
        configuration=configuration,
    )
    with running:
        return running.judge(graph)


def _analyze(process: _Process, stub: Analyzer, sent: Messages, stack_urn: str) -> Iterator[Verdict]:
    """Ask resource by resource, in order (a pack may remember parents), and about all of them at the end."""
    for request in sent.alone:
        remediated = stub.Remediate(request, timeout=_CALL_SECONDS)
        if remediated.remediations:
            # The engine would go on with other inputs than the program gave; no pack here does that.
            raise process.error(f"{remediated.remediations[0].policyName} remediates {request.urn}: not rehearsed")
        answer = stub.Analyze(request, timeout=_CALL_SECONDS)
        yield from (_verdict(process, it, request.urn) for it in answer.diagnostics)
    urns = {request.urn for request in sent.alone}
    answer = stub.AnalyzeStack(sent.together, timeout=_CALL_SECONDS)
    yield from (_verdict(process, it, it.urn if it.urn in urns else stack_urn) for it in answer.diagnostics)


def _verdict(process: _Process, said: proto.AnalyzeDiagnostic, urn: str) -> Verdict:
    level: Level = "advisory" if said.enforcementLevel == proto.ADVISORY else "mandatory"
    # The SDK's own words for "a value was unknown": it makes a note of it, whatever the policy's level.
    could_not_run = level == "advisory" and process.levels.get(said.policyName) in ("mandatory", "remediate")
    message = said.message.removeprefix(said.description).strip() or said.description
    return Verdict(
        pack=process.name,
        rule=said.policyName,
        level="unproved" if could_not_run else level,
        urn=urn,
        message=message,
    )


def _split(given: object, process: _Process) -> tuple[str, dict[str, Any]]:
    """Separate a policy's enforcement level from its keys, as the engine does with `--policy-pack-config`."""
    keys = {"enforcementLevel": given} if isinstance(given, str) else dict(cast("Mapping[str, Any]", given))
    level = str(keys.pop("enforcementLevel", ""))
    if level and level.upper() not in proto.EnforcementLevel.keys():  # noqa: SIM118 - no mapping, an enum's wrapper
        raise process.error(f"{level!r} is no enforcement level; use advisory, mandatory, remediate or disabled")
    return level, keys


def _level(number: proto.EnforcementLevel.ValueType) -> str:
    return proto.EnforcementLevel.Name(number).lower()
