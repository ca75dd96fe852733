"""A Cloud Map namespace: where services are registered by name, and found by DNS, by its API or by Service Connect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from components import naming
from components.base import Part

if TYPE_CHECKING:
    from pulumi import Input, Output, ResourceOptions


@dataclass(frozen=True, kw_only=True)
class NamespaceArgs:
    """What a `Namespace` takes.

    Raises:
        InvalidArgsError: a domain that is none.

    """

    domain: str
    """Such as ``workflow.local``: what the names of its services end with. Unique in the account."""
    vpc_id: Input[str]
    """Where its names resolve."""

    def __post_init__(self) -> None:
        naming.fixed(self.domain, naming.NAMESPACE)


class Namespace(Part):
    """A private DNS namespace.

    The one kind that all ways know: Service Connect takes it as well as an HTTP one, and so one way can follow another
    in it. The services that one task calls by Service Connect share a namespace, so that a stack has one for all.
    """

    domain: str
    id: Output[str]
    arn: Output[str]

    def __init__(self, name: str, args: NamespaceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(opts)
        self.domain = args.domain
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            name, name=args.domain, vpc=args.vpc_id, tags=self.tags, opts=self.child()
        )
        self.id, self.arn = namespace.id, namespace.arn
