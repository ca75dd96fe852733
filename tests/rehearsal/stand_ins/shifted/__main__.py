"""A service of each strategy that shifts requests, behind one load balancer, without a task that runs."""

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.deployment import Deployment
from components.image import Image
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network import Network, NetworkArgs
from components.service import Service, ServiceArgs
from components.task import Task, TaskArgs

account = Account(id="123456789012", region="eu-west-1")
opts = pulumi.ResourceOptions(providers=[aws.Provider("aws", region="eu-west-1", allowed_account_ids=[account.id])])
network = Network("aviary", NetworkArgs(account=account, zones=("a", "b"), nat="single"), opts)
cluster = Cluster("aviary", ClusterArgs(account=account), opts)
balancer = LoadBalancer("aviary", LoadBalancerArgs(network=network), opts)
image = Image.at("public.ecr.aws/docker/library/busybox@sha256:" + "a" * 64)
for name, deployment in {
    "blue": Deployment(strategy="blue_green", approval_minutes=90),
    "line": Deployment(strategy="linear", step_percent=12.5, bake_minutes=0),
    "bird": Deployment(strategy="canary", canary_percent=0.5),
}.items():
    task = Task(name, TaskArgs(account=account, containers=[Container(image=image, port=8080)]), opts)
    Service(
        name,
        ServiceArgs(
            task=task,
            cluster=cluster,
            network=network,
            entrance=balancer.route(path=f"/{name}"),
            desired_count=0,
            deployment=deployment,
        ),
        opts,
    )
