"""What the program registered: one record a resource, written by the monitor, read by packs and report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Proof = Literal["enacted", "validated", "local"]
"""How far a resource was shown to work.

``enacted``: created in the emulator. ``validated``: no emulator has the service, so its inputs were held against
botocore's model only. ``local``: nothing of AWS's (a component, a provider).
"""


@dataclass(kw_only=True)
class Registered:
    """One resource of the program, as the engine would have recorded it."""

    urn: str
    type: str
    """The type token, such as ``aws:ecs/service:Service`` or ``drydock:index:Task``."""
    name: str
    """The logical name."""
    parent: str
    """The parent's URN; the stack's own for top-level resources."""
    custom: bool
    """False for components."""
    remote: bool = False
    """True for a component that a plugin makes, such as ``awsx:ecr:Image``: its children are not in the graph."""
    inputs: dict[str, Any]
    """After Check: autonames and ``tagsAll`` are in it. Keys as the provider has them (camelCase). Unknown leaves are
    `pulumi.runtime.rpc.UNKNOWN`; secrets are plain values here, their names being in `secret_inputs`."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the provider answered; unknown leaves likewise. At preview, the inputs and nothing more. A component's are
    its inputs and what it handed to `register_outputs`."""
    id: str = ""
    """Empty while unknown (preview) and for components."""
    provider: str = ""
    """The provider's URN, without its id."""
    dependencies: list[str] = field(default_factory=list[str])
    property_dependencies: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Input property → URNs that its value came from."""
    secret_inputs: frozenset[str] = frozenset()
    """Top-level input properties that hold a secret somewhere: never printed."""
    protect: bool = False
    aliases: list[str] = field(default_factory=list[str])
    ignore_changes: list[str] = field(default_factory=list[str])
    before: Callable[[Registered, Registered | None], None] | None = field(default=None, repr=False, compare=False)
    """Runs its hooks, before it is made or changed: given itself, and what there was of it. None where it has none."""
    seconds: float = 0.0
    """How long the create took, in seconds of wall clock."""
    proof: Proof = "local"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the making of a resource gave."""

    id: str
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """Computed properties, by the provider's names; inputs need no repeating."""
    proof: Proof = "enacted"
