"""The corrections of Secrets Manager: passwords have the characters that are asked for, and rotations are told."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
import json
from typing import Any, Final

app: Any = importlib.import_module("ministack.app")
eventbridge: Any = importlib.import_module("ministack.services.eventbridge")
responses: Any = importlib.import_module("ministack.core.responses")
secretsmanager: Any = importlib.import_module("ministack.services.secretsmanager")

_SECRETS_MANAGER: Final = "secretsmanager.amazonaws.com"
_OK: Final = 200


def generate_as_asked() -> None:
    """Generate a template's secret as GetRandomPassword generates one: it takes the same members.

    The emulator heeds none of them in a template but the length and ``ExcludeCharacters``.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
    """
    load = app._get_module

    def loaded(name: str) -> Any:
        module = load(name)
        if name == "cloudformation":  # loaded when it is first asked for, since it takes its time
            provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
            provisioners._sm_secret_string = _secret_string
        return module

    app._get_module = loaded


def _secret_string(properties: dict[str, Any]) -> str:
    asked: dict[str, Any] = properties.get("GenerateSecretString") or {}
    if not asked or properties.get("SecretString"):
        return str(properties.get("SecretString", ""))
    status, _, body = secretsmanager._get_random_password(asked)
    answer = json.loads(body)
    if status != _OK:
        raise ValueError(answer.get("message", body))
    password: str = answer["RandomPassword"]
    if "SecretStringTemplate" not in asked:
        return password
    return json.dumps(json.loads(asked["SecretStringTemplate"]) | {asked["GenerateStringKey"]: password})


def tell_of_rotations() -> None:
    """Put the event of a rotation that succeeded on the default bus, as in an account with a trail.

    The emulator emits none, and refuses whoever would put one there. Its RotateSecret calls no function: the value that
    is there becomes the newest version once more.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
    """
    rotate = secretsmanager._rotate_secret

    def rotated(data: dict[str, Any]) -> Any:
        answer = rotate(data)
        if answer[0] == _OK:
            _tell(json.loads(answer[2])["ARN"])
        return answer

    secretsmanager._rotate_secret = rotated


def _tell(secret: str) -> None:
    account, region = responses.get_account_id(), responses.get_region()
    detail = {
        "userIdentity": {"accountId": account, "invokedBy": _SECRETS_MANAGER},
        "eventSource": _SECRETS_MANAGER,
        "eventName": "RotationSucceeded",
        "awsRegion": region,
        "requestParameters": None,
        "responseElements": None,
        "additionalEventData": {"SecretId": secret},
        "eventType": "AwsServiceEvent",
        "recipientAccountId": account,
    }
    entry = {
        "Source": "aws.secretsmanager",
        "DetailType": "AWS Service Event via CloudTrail",
        "Detail": json.dumps(detail),
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
