"""Names of endpoints are checked before a network is made."""

from __future__ import annotations

import pytest

from components import endpoints
from components.errors import InvalidArgsError


@pytest.mark.parametrize(
    ("service", "want"),
    [
        ("s3", "gateway_endpoints"),
        ("dynamodb", "gateway_endpoints"),
        ("ecr", "'ecr.api' and 'ecr.dkr'"),
        ("cloudwatch", "'logs' or 'monitoring'"),
        ("apigateway", "'execute-api'"),
        ("com.amazonaws.eu-west-1.logs", "short name"),
        ("Logs", "short name"),
        ("ecr_api", "short name"),
        ("", "short name"),
    ],
)
def test_a_name_that_is_no_interface_endpoints_is_refused(service: str, want: str) -> None:
    """AWS answers InvalidServiceName only once half of the network stands."""
    with pytest.raises(InvalidArgsError, match=want):
        endpoints.check_interface("Network.interface_endpoints", [service])


@pytest.mark.parametrize(
    "services", [("execute-api", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssmmessages", "ecs-agent"), ()]
)
def test_names_of_services_pass(services: tuple[str, ...]) -> None:
    endpoints.check_interface("Network.interface_endpoints", services)


def test_a_service_named_twice_is_refused() -> None:
    with pytest.raises(InvalidArgsError, match="each service once"):
        endpoints.check_interface("Network.interface_endpoints", ["logs", "logs"])


def test_only_two_services_have_gateway_endpoints() -> None:
    endpoints.check_gateway("Network.gateway_endpoints", ["s3", "dynamodb"])
    with pytest.raises(InvalidArgsError, match=r"'logs'; one of s3, dynamodb"):
        endpoints.check_gateway("Network.gateway_endpoints", ["logs"])
