"""What a load balancer behind an API gets of a request: its path without the stage, and headers that are true."""

from __future__ import annotations

import pytest

from components import api_proxy


@pytest.mark.parametrize(
    ("path", "override"),
    [
        ("/", '#set($context.requestOverride.path = "/")\n$input.body'),
        ("/login", '#set($context.requestOverride.path = "/login")\n$input.body'),
        (
            "/{proxy+}",
            "#set($part0 = $input.params('proxy'))\n#set($context.requestOverride.path = \"/$part0\")\n$input.body",
        ),
        (
            "/users/{id}/files/{rest+}",
            """#set($part0 = $input.params('id'))
#set($part1 = $input.params('rest'))
#set($context.requestOverride.path = "/users/$part0/files/$part1")
$input.body""",
        ),
    ],
)
def test_the_path_is_overridden_by_what_was_asked_below_the_stage(path: str, override: str) -> None:
    """API Gateway puts the stage before it, and no rule of a load balancer begins with that."""
    assert api_proxy.override(path) == override


def test_the_requests_id_the_caller_and_the_name_that_was_asked_are_the_gateways_word() -> None:
    said = {
        "integration.request.header.X-Request-Id": "context.requestId",
        "integration.request.header.X-Forwarded-Host": "context.domainName",
        "integration.request.header.X-Forwarded-For": "context.identity.sourceIp",
    }
    assert api_proxy.headers(key_required=False) == said


def test_a_key_stays_with_the_gateway() -> None:
    """A workload that writes its headers down would write down its clients' keys."""
    assert api_proxy.headers(key_required=True)["integration.request.header.X-Api-Key"] == "''"
