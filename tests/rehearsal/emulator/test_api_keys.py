"""A key that was disabled opens nothing, until it is enabled again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from rehearsal.emulator import Emulator


def answers(aws: Emulator) -> list[int]:
    """Return what an API answers to a key: as it was made, disabled, and enabled again."""
    gateway, value = aws.client("apigateway"), secrets.token_hex(20)
    api = gateway.create_rest_api(name="keyed")["id"]
    (root,) = gateway.get_resources(restApiId=api)["items"]
    method: dict[str, Any] = {"restApiId": api, "resourceId": root["id"], "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE", apiKeyRequired=True)
    gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration_response(**method, statusCode="200")
    gateway.create_deployment(restApiId=api, stageName="v1")
    plan = gateway.create_usage_plan(name="all", apiStages=[{"apiId": api, "stage": "v1"}])["id"]
    key = gateway.create_api_key(name="shop", enabled=True, value=value)["id"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")

    def ask() -> int:
        url = f"{aws.endpoint}/restapis/{api}/v1/_user_request_/"
        return urllib3.request("GET", url, headers={"X-Api-Key": value}, retries=False).status

    def after(enabled: str) -> int:
        patch = {"op": "replace", "path": "/enabled", "value": enabled}
        gateway.update_api_key(apiKey=key, patchOperations=[patch])
        return ask()

    return [ask(), after("false"), after("true")]


def test_a_disabled_key_opens_nothing(plain: Emulator, corrected: Emulator) -> None:
    """A client that is shut out would be let in here."""
    assert answers(plain) == [200, 200, 200]
    assert answers(corrected) == [200, 403, 200]
