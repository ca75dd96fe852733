"""How services are found: Cloud Map, and VPC Lattice, which no emulator has."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, StandIn, Table

_PATIENCE: Final = 10.0
"""Seconds until a namespace is there."""


def _namespace(operation: str) -> StandIn:
    def made(this: Making) -> Answer:
        started = this.create(operation)["OperationId"]
        until = time.monotonic() + _PATIENCE
        while True:
            found = this.call("servicediscovery:GetOperation", OperationId=started)["Operation"]
            if found["Status"] == "SUCCESS":
                break
            if found["Status"] == "FAIL" or time.monotonic() > until:
                raise this.refused(operation, f"{found['Status']}: {found.get('ErrorMessage')}")
            time.sleep(0.05)
        namespace = this.call("servicediscovery:GetNamespace", Id=found["Targets"]["NAMESPACE"])["Namespace"]
        zone = namespace.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId")
        more = {"hostedZone": zone} if zone else {"httpName": this["name"]}
        return this.answer(namespace["Id"], arn=namespace["Arn"], **more)

    return made


def _registry(this: Making) -> Answer:
    # AWS takes the namespace in either place; the emulator reads the newer one alone.
    within = this.get("namespaceId") or this.get("dnsConfig", {}).get("namespaceId")
    made = this.create("servicediscovery:CreateService", {"NamespaceId": within})["Service"]
    return this.answer(made["Id"], made, arn=made["Arn"])


def _validated(this: Making, operation: str, kind: str, **create: Any) -> tuple[str, str]:
    """Hold a resource of VPC Lattice against its model; return an id and an ARN such as AWS would give it."""
    this.validate_only()
    this.create(f"vpc-lattice:{operation}", **create)
    digits = hashlib.sha256(this.resource.urn.encode()).hexdigest()[:17]
    prefix = {"servicenetwork": "sn", "service": "svc", "targetgroup": "tg"}.get(kind, kind)
    return f"{prefix}-{digits}", this.arn("vpc-lattice", f"{kind}/{prefix}-{digits}")


def _lattice_service(this: Making) -> Answer:
    its_id, arn = _validated(this, "CreateService", "service")
    domain = f"{this['name']}-{its_id[4:]}.7d67968.vpc-lattice-svcs.{this.aws.region}.on.aws"
    return this.answer(its_id, arn=arn, status="ACTIVE", dnsEntries=[{"domainName": domain, "hostedZoneId": "Z1"}])


def _lattice_network(this: Making) -> Answer:
    its_id, arn = _validated(this, "CreateServiceNetwork", "servicenetwork")
    return this.answer(its_id, arn=arn)


def _lattice_target_group(this: Making) -> Answer:
    its_id, arn = _validated(this, "CreateTargetGroup", "targetgroup")
    return this.answer(its_id, arn=arn, status="ACTIVE")


def _lattice_listener(this: Making) -> Answer:
    # An action is one of two kinds, and a forward the one kind of target.
    action: Mapping[str, Any] = {name: block for name, block in this["defaultAction"].items() if name != "forwards"}
    action = {
        **action,
        **({"forward": this["defaultAction"]["forwards"]} if "forwards" in this["defaultAction"] else {}),
    }
    its_id, arn = _validated(
        this,
        "CreateListener",
        "listener",
        inputs={**this.inputs, "defaultAction": action},
        rename={"defaultAction.forward.targetGroups.targetGroupIdentifier": "targetGroupIdentifier"},
    )
    return this.answer(f"{this['serviceIdentifier']}/{its_id}", arn=arn, listenerId=its_id)


def _lattice_policy(this: Making) -> Answer:
    this.validate_only()
    this.create("vpc-lattice:PutAuthPolicy")
    return this.answer(this["resourceIdentifier"], state="Active")


def _lattice_of_vpc(this: Making) -> Answer:
    its_id, arn = _validated(this, "CreateServiceNetworkVpcAssociation", "servicenetworkvpcassociation")
    return this.answer(its_id, arn=arn, status="ACTIVE")


def _lattice_of_service(this: Making) -> Answer:
    its_id, arn = _validated(this, "CreateServiceNetworkServiceAssociation", "servicenetworkserviceassociation")
    return this.answer(its_id, arn=arn, status="ACTIVE")


TABLE: Final[Table] = {
    "aws:servicediscovery/httpNamespace:HttpNamespace": _namespace("servicediscovery:CreateHttpNamespace"),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": _namespace(
        "servicediscovery:CreatePrivateDnsNamespace"
    ),
    "aws:servicediscovery/service:Service": _registry,
    "aws:vpclattice/authPolicy:AuthPolicy": _lattice_policy,
    "aws:vpclattice/listener:Listener": _lattice_listener,
    "aws:vpclattice/service:Service": _lattice_service,
    "aws:vpclattice/serviceNetwork:ServiceNetwork": _lattice_network,
    "aws:vpclattice/serviceNetworkServiceAssociation:ServiceNetworkServiceAssociation": _lattice_of_service,
    "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation": _lattice_of_vpc,
    "aws:vpclattice/targetGroup:TargetGroup": _lattice_target_group,
}
