"""What a stand-in is given to make one resource: its inputs, and the calls to AWS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import botocore
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.validate import ParamValidator

from rehearsal import schema
from rehearsal.graph import Answer, Proof
from rehearsal.monitor import Refused
from rehearsal.stand_ins import shapes

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.graph import Registered

_METHOD: Final = cast("Callable[[str], str]", botocore.xform_name)  # pyright: ignore[reportUnknownMemberType]
"""The name of an operation's method on a client: ``CreateListener`` → ``create_listener``."""

# What the provider does itself, or the engine: no parameter of any operation.
_NOT_AWSS: Final = frozenset({"region", "tags", "tagsAll", "forceDestroy", "skipDestroy", "triggers"})


class RefusedCall(Refused):
    """AWS would not: which resource, which operation, and its own words."""

    def __init__(self, resource: Registered, operation: str, words: str) -> None:
        super().__init__(f"{resource.type} {resource.name!r}: {operation} was refused: {words}")
        self.resource = resource
        self.operation = operation
        """Such as ``elbv2:CreateListener``."""
        self.words = words


class Databases(Protocol):
    """Starts a PostgreSQL; called on several threads at once."""

    def __call__(self, *, identifier: str, database: str, user: str, password: str) -> tuple[str, int]:
        """Start the server of *identifier*, with one empty *database* and the master *user*; return host and port."""
        ...


@dataclass(frozen=True, kw_only=True)
class Aws:
    """Where resources are made: one account, one region."""

    client: Callable[[str], Any]
    """Service name → boto3 client, as the account's administrator; called on several threads."""
    account: str
    region: str
    partition: str
    project_dir: Path
    """What relative paths of archives and build contexts start from."""
    gateway: str
    """The emulator's own address, such as ``http://127.0.0.1:4566``."""
    databases: Databases | None = None
    """Starts what stands behind a database of RDS. None: nothing does, and nobody can connect."""
    rebuilt: dict[str, str] = field(default_factory=dict[str, str])
    """Repository → digest of what a build now gives, as if its source had changed."""


class Making:
    """The making of one resource."""

    def __init__(self, resource: Registered, aws: Aws) -> None:
        self.resource = resource
        self.inputs = resource.inputs
        self.aws = aws
        self.proof: Proof = "enacted"

    def __getitem__(self, name: str) -> Any:
        """Return an input that must be there."""
        return self.inputs[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an input, or *default* if it was not given."""
        return self.inputs.get(name, default)

    @property
    def tags(self) -> dict[str, str]:
        """The resource's own tags and the provider's default ones."""
        return self.inputs.get("tagsAll") or {}

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """Return an ARN in this account and region, or without them where the service leaves them out."""
        parts = (self.aws.region if region else "", self.aws.account if account else "")
        return f"arn:{self.aws.partition}:{service}:{parts[0]}:{parts[1]}:{resource}"

    def create(
        self,
        operation: str,
        given: Mapping[str, Any] | None = None,
        *,
        inputs: Mapping[str, Any] | None = None,
        apart: Collection[str] = (),
        rename: Mapping[str, str] | None = None,
        tagged: bool = True,
        kind: str = "",
    ) -> Any:
        """Call *operation* with all inputs as its parameters, and return its answer.

        An input that no parameter takes is refused, so that nothing is dropped in silence.

        Args:
            operation: Such as ``elbv2:CreateListener``.
            given: Parameters as they are, beside the converted ones.
            inputs: Properties to convert. Default: the resource's inputs.
            apart: Inputs that other calls take, or that *given* holds in another form.
            rename: Path of a property → member of the operation's shape, where names do not tell.
            tagged: Whether the tags go with this call.
            kind: What EC2 calls the resource in a tag specification.

        """
        properties = self.inputs if inputs is None else inputs
        values = {name: value for name, value in properties.items() if name not in _NOT_AWSS and name not in apart}
        try:
            parameters = shapes.parameters(operation, values, rename or {}) | dict(given or {})
            if tagged and self.tags:
                parameters |= shapes.tags(operation, self.tags, kind)
        except shapes.NoParameterError as error:
            raise Refused(
                f"{self.resource.type} {self.resource.name!r}: the stand-in does not know its input {error}; "
                f"no parameter of {operation} takes it"
            ) from None
        return self.call(operation, **parameters)

    def call(self, operation: str, **parameters: Any) -> Any:
        """Call *operation* with *parameters* as they are, and return its answer.

        Raises:
            RefusedCall: botocore or AWS refused it.

        """
        service, _, what = operation.partition(":")
        try:
            self._validate(operation, parameters)
            if self.proof == "validated":
                return {}
            return getattr(self.aws.client(service), _METHOD(what))(**parameters)
        except ClientError as error:
            told: dict[str, Any] = cast("dict[str, Any]", error.response).get("Error", {})
            raise self.refused(operation, f"{told.get('Code')}: {told.get('Message')}") from None
        except ParamValidationError as error:
            raise self.refused(operation, str(error)) from None
        except BotoCoreError as error:
            raise self.refused(operation, f"no answer: {error}") from None

    def refused(self, operation: str, words: str) -> RefusedCall:
        """Return the error that says that AWS refused *operation*, in its own *words*, but for secrets in them."""
        for name in self.resource.secret_inputs:
            value = self.inputs.get(name)
            if isinstance(value, str) and value:
                words = words.replace(value, "[secret]")
        return RefusedCall(self.resource, operation, " ".join(words.split()))

    def validate_only(self) -> None:
        """Hold what follows against botocore's model and call nothing: no emulator has the service."""
        self.proof = "validated"

    def _validate(self, operation: str, parameters: dict[str, Any]) -> None:
        shape = shapes.operation(operation).input_shape
        validator: Any = ParamValidator()
        report = validator.validate(parameters, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        if found := shapes.violations(parameters, shape):
            raise ParamValidationError(report="; ".join(found))

    def answer(self, id: str, described: Mapping[str, Any] | None = None, **outputs: Any) -> Answer:  # noqa: A002
        """Return what the program gets: *outputs*, and of what AWS *described* all that bears a property's name."""
        names = schema.outputs_of(self.resource.type) - set(self.inputs)
        region = {"region": self.aws.region} if "region" in names else {}
        return Answer(id=id, outputs=region | shapes.properties(described or {}, names) | outputs, proof=self.proof)


StandIn = Callable[[Making], Answer]
"""Makes one resource."""

Table = Mapping[str, StandIn]
"""Type token → its stand-in."""
