"""What ACM asks of whoever requests a certificate, for those who stand for AWS in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def validation(certificate: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what ACM wants for each name of a certificate: of a wildcard the same as of what it stands under."""
    return [
        {
            "domainName": name,
            "resourceRecordName": f"_proof.{name.removeprefix('*.')}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{name.removeprefix('*.')}.acm-validations.aws.",
        }
        for name in (certificate["domainName"], *certificate.get("subjectAlternativeNames", []))
    ]
