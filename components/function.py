"""A Lambda function: its code, its role and its log group."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pulumi
import pulumi_aws as aws
from pulumi import Output

from components import naming
from components.base import Part
from components.errors import InvalidArgsError, of, one_of, within
from components.grants import Grant
from components.logs import Logs
from components.roles import ServiceRole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input, ResourceOptions

    from components.account import Account

# Managed runtimes that AWS still mends. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
RUNTIMES: Final = (
    "python3.14", "python3.13", "python3.12", "python3.11", "nodejs24.x", "nodejs22.x", "java25", "java21", "java17",
    "dotnet10", "dotnet8", "ruby3.4", "ruby3.3", "provided.al2023",
)  # fmt: skip
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
_RESERVED: Final = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
})  # fmt: skip
# botocore's `lambda` model: EnvironmentVariableName.
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]+")


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """What a `Function` takes.

    Raises:
        InvalidArgsError: a bound of Lambda's broken, a folder or a handler's module that is not there, or an
            environment variable that Lambda keeps for itself.

    """

    account: Account
    """Where it is."""
    code: str
    """Folder whose files are the deployment package, as seen from the program's working directory.

    What Python compiled there stays out: whoever ran the code once would otherwise change the function.
    """
    handler: str = "handler.handle"
    """What Lambda calls, in the runtime's own form: for Python ``<module>.<function>``."""
    runtime: str = "python3.14"
    """One of `RUNTIMES`."""
    memory: int = 256
    """MiB, 128 to 10240; the CPU's share grows with it.
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    timeout: int = 10
    """Seconds after which a call is cut off, 1 to 900 (same page). Behind an API Gateway at most 29 are of use."""
    environment: Mapping[str, Input[str]] = field(default_factory=dict[str, "Input[str]"])
    """Readable by whoever may describe the function: no secrets here."""
    grants: Sequence[Grant] = ()
    """What it may do in AWS beside writing its log. Default: nothing."""
    logs: Logs = field(default_factory=Logs)
    """How long ``/lambda/<name>`` is kept; the rest of `Logs` is for containers."""
    reserved_concurrency: int | None = None
    """Calls at once that are kept for it and that it cannot exceed; 0 stops it. Default: the account's pool."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """Named as Lambda does. ``arm64`` costs a fifth less, and wants native libraries built for it."""
    tracing: bool = False
    """Whether calls are sampled for X-Ray."""

    def __post_init__(self) -> None:
        one_of(self, "runtime", RUNTIMES)
        one_of(self, "architecture", ("x86_64", "arm64"))
        within(self, "memory", 128, 10_240, "MiB")
        within(self, "timeout", 1, 900, "seconds")
        within(self, "reserved_concurrency", 0, 1_000_000, "calls")
        if not Path(self.code).is_dir():
            raise InvalidArgsError(of(self, "code"), got=self.code, want="an existing folder with the function's code")
        module = self.handler.rpartition(".")[0].replace(".", "/") + ".py"
        if self.runtime.startswith("python") and not (Path(self.code) / module).is_file():
            raise InvalidArgsError(
                of(self, "handler"), got=self.handler, want=f"'<module>.<function>', and {self.code} has no {module}"
            )
        for variable in self.environment:
            if variable in _RESERVED or not _VARIABLE.fullmatch(variable):
                raise InvalidArgsError(
                    of(self, "environment"),
                    got=variable,
                    want="a name of letters, digits and underscores, two or more, that Lambda does not set itself",
                )


class Function(Part):
    """A function with a role of its own, which may write to its own log group and do what was granted.

    Its role is declared by the component that it is within.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in Lambda's 64 characters.

    """

    arn: Output[str]
    function_name: Output[str]
    invoke_arn: Output[str]
    """What an API Gateway integration takes as its URI."""

    def __init__(self, name: str, args: FunctionArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.FUNCTION)
        group_name = naming.fixed(f"/lambda/{name}", naming.LOG_GROUP)
        role = _role(name, args, args.account.arn("logs", f"log-group:{group_name}:*"))
        super().__init__(opts)
        self.declare(role)

        group = aws.cloudwatch.LogGroup(
            name, name=group_name, retention_in_days=args.logs.retention_days, tags=self.tags, opts=self.child()
        )
        function = aws.lambda_.Function(
            name,
            code=_archive(Path(args.code)),
            handler=args.handler,
            runtime=args.runtime,
            role=role.create(self).arn,
            memory_size=args.memory,
            timeout=args.timeout,
            architectures=[args.architecture],
            environment={"variables": args.environment} if args.environment else None,
            logging_config={"log_format": "JSON", "log_group": group.name},
            reserved_concurrent_executions=args.reserved_concurrency,
            tracing_config={"mode": "Active"} if args.tracing else None,
            tags=self.tags,
            opts=self.child(),
        )
        self.arn, self.function_name, self.invoke_arn = function.arn, function.name, function.invoke_arn

    def invoke(self) -> Grant:
        """Allow calling it, at its newest code."""
        return Grant(actions=("lambda:InvokeFunction",), resources=(self.arn,))


def _archive(folder: Path) -> pulumi.AssetArchive:
    """Return the files of *folder* by their names within it, without what Python compiled."""
    files: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each != "__pycache__"]
        files += [Path(at, name) for name in names if not name.endswith(".pyc")]
    return pulumi.AssetArchive(
        {path.relative_to(folder).as_posix(): pulumi.FileAsset(str(path)) for path in sorted(files)}
    )


def _role(name: str, args: FunctionArgs, log_streams: str) -> ServiceRole:
    """Plan the function's role.

    Its trust names the account and no function: Lambda's guide says of `aws:SourceArn` both that it limits a role
    and that it only counts where a function is what is called, and a role that Lambda cannot take fails the
    deployment. Who gets the role is decided by `iam:PassRole`, inside this account alone.
    https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    """
    write_log = Grant(actions=("logs:CreateLogStream", "logs:PutLogEvents"), resources=(log_streams,))
    # X-Ray has no resources to name.
    trace = Grant(actions=("xray:PutTelemetryRecords", "xray:PutTraceSegments"), resources=("*",))
    return ServiceRole(
        name=name,
        service="lambda.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": args.account.id}},
        grants=(write_log, *([trace] if args.tracing else []), *args.grants),
    )
