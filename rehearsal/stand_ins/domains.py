"""How names lead to load balancers: certificates, and records in hosted zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table

_OF_THE_RECORD: Final = ("aliases", "allowOverwrite", "name", "records", "ttl", "type", "zoneId")


def _certificate(this: Making) -> Answer:
    if "privateKey" in this.inputs:
        names = {"certificateBody": "Certificate", "certificateChain": "CertificateChain", "privateKey": "PrivateKey"}
        given = {member: this[name].encode() for name, member in names.items() if name in this.inputs}
        arn = this.create("acm:ImportCertificate", given, apart=names)["CertificateArn"]
    else:
        arn = this.create("acm:RequestCertificate")["CertificateArn"]
    described = this.call("acm:DescribeCertificate", CertificateArn=arn)["Certificate"]
    records = [
        {
            "domainName": option["DomainName"],
            "resourceRecordName": option.get("ResourceRecord", {}).get("Name"),
            "resourceRecordType": option.get("ResourceRecord", {}).get("Type"),
            "resourceRecordValue": option.get("ResourceRecord", {}).get("Value"),
        }
        for option in described.get("DomainValidationOptions", [])
    ]
    return this.answer(arn, described, arn=arn, domainValidationOptions=records)


def _certificate_validation(this: Making) -> Answer:
    """Refuse what the provider does: a certificate with a name that no record given here proves."""
    arn = this["certificateArn"]
    described = this.call("acm:DescribeCertificate", CertificateArn=arn)["Certificate"]
    wanted = {option["ResourceRecord"]["Name"].rstrip(".") for option in described["DomainValidationOptions"]}
    if missing := wanted - {name.rstrip(".") for name in this.get("validationRecordFqdns", wanted)}:
        raise this.refused("acm:DescribeCertificate", f"missing DNS validation records: {', '.join(sorted(missing))}")
    return this.answer(str(described["IssuedAt"]), certificateArn=arn)


def _record(this: Making) -> Answer:
    given: dict[str, Any] = {"Name": this["name"], "Type": this["type"]}
    if "records" in this.inputs:
        given["ResourceRecords"] = [{"Value": value} for value in this["records"]]
        given["TTL"] = this["ttl"]
    for alias in this.get("aliases", []):
        given["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
    action = "UPSERT" if this.get("allowOverwrite") else "CREATE"
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": given}]}
    this.create(
        "route53:ChangeResourceRecordSets",
        {"HostedZoneId": _zone(this), "ChangeBatch": batch},
        apart=_OF_THE_RECORD,
        tagged=False,
    )
    fqdn = this["name"].rstrip(".")
    return this.answer(f"{this['zoneId']}_{fqdn}_{this['type']}", fqdn=fqdn)


def _zone(this: Making) -> str:
    """Return the emulator's zone that stands for the one of this id, which is never the program's own.

    A reference that was used before gets the zone that was made with it.
    """
    name = this["name"].rstrip(".").removeprefix("*.").partition(".")[2]
    made = this.call("route53:CreateHostedZone", Name=name, CallerReference=this["zoneId"])
    return str(made["HostedZone"]["Id"]).rpartition("/")[2]


TABLE: Final[Table] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _certificate_validation,
    "aws:route53/record:Record": _record,
}
