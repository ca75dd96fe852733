"""Two public APIs before one load balancer: one with keys by AWS's own name, one without by a domain."""

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api_gateway_logging import ApiGatewayLogging, ApiGatewayLoggingArgs
from components.api_stage import Throttle
from components.domain import Domain
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network import Network, NetworkArgs
from components.public_api import PublicApi, PublicApiArgs
from components.usage_plan import Quota, UsagePlan

account = Account(id="123456789012", region="eu-west-1")
provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=[account.id])
opts = pulumi.ResourceOptions(providers=[provider])
network = Network("api", NetworkArgs(account=account, zones=("a", "b"), nat="single"), opts)
logging = ApiGatewayLogging("api-gateway", ApiGatewayLoggingArgs(account=account), opts)
balancer = LoadBalancer("api", LoadBalancerArgs(network=network), opts)
route = balancer.route(path="/api/*")
aws.lb.ListenerRule(
    "api",
    listener_arn=route.load_balancer.listener_arn,
    priority=route.priority,
    conditions=route.conditions(),
    actions=[
        {
            "type": "fixed-response",
            "fixed_response": {"content_type": "text/plain", "message_body": "info", "status_code": "200"},
        }
    ],
    opts=pulumi.ResourceOptions(provider=provider),
)
keyed = PublicApi(
    "keyed",
    PublicApiArgs(
        account=account,
        network=network,
        load_balancer=balancer,
        method_throttles={"POST /api/client/auth/login": Throttle(rate_limit=1, burst_limit=2)},
        plans={
            "partners": UsagePlan(clients=("till", "web")),
            "trial": UsagePlan(clients=("guest",), quota=Quota(limit=2)),
        },
        logging=logging,
        web_acl_arn="arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/a1b2c3d4",
    ),
    opts,
)
named = PublicApi(
    "named",
    PublicApiArgs(
        account=account,
        network=network,
        load_balancer=balancer,
        domain=Domain(name="api.example.com", zone_id="Z9876543210ABCDEFGHIJ"),
        logging=logging,
    ),
    opts,
)
pulumi.export("api_gateway_url", keyed.url)
pulumi.export("named_url", named.url)
for client, key_id in keyed.key_ids.items():
    pulumi.export(f"{client}_key_id", key_id)
    pulumi.export(f"{client}_key_command", keyed.key_commands[client])
