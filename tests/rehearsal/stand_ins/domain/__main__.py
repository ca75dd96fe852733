"""A load balancer with a domain, and two routes that answer by themselves."""

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.domain import Domain
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network import Network, NetworkArgs

provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["123456789012"])
opts = pulumi.ResourceOptions(providers=[provider])
network = Network(
    "shop", NetworkArgs(account=Account(id="123456789012", region="eu-west-1"), zones=("a", "b"), nat="single"), opts
)
shop = LoadBalancer(
    "shop",
    LoadBalancerArgs(
        network=network,
        internal=False,
        open_to=["0.0.0.0/0"],
        domain=Domain(name="shop.example.com", further_names=["*.shop.example.com"], zone_id="Z0123456789ABCDEFGHIJ"),
    ),
    opts,
)
for said, route in {
    "user": shop.route(host="user.shop.example.com"),
    "news": shop.route(path=("/news", "/news/*")),
}.items():
    answer = {"content_type": "text/plain", "message_body": said, "status_code": "200"}
    aws.lb.ListenerRule(
        said,
        listener_arn=route.load_balancer.listener_arn,
        priority=route.priority,
        conditions=route.conditions(),
        actions=[{"type": "fixed-response", "fixed_response": answer}],
        opts=pulumi.ResourceOptions(provider=provider),
    )
pulumi.export("url", shop.url)
