"""Two services that read one secret, of which its rotation deploys the first alone anew."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.image import Image
from components.network import Network, NetworkArgs
from components.rotation import Redeployment, RedeploymentArgs
from components.secret import Secret, SecretArgs
from components.service import Service, ServiceArgs
from components.task import Task, TaskArgs
from components.topic import Topic, TopicArgs

account = Account(id="123456789012", region="ap-southeast-1")
provider = aws.Provider("aws", region=account.region, allowed_account_ids=[account.id])
opts = pulumi.ResourceOptions(providers=[provider])

network = Network("rotated", NetworkArgs(account=account, nat="single"), opts)
cluster = Cluster("rotated", ClusterArgs(account=account), opts)
alerts = Topic("alerts", TopicArgs(account=account, publishers=("events.amazonaws.com",)), opts)
secret = Secret("token", SecretArgs(value=pulumi.Output.secret("before")), opts)
image = Image.at(f"{account.id}.dkr.ecr.{account.region}.amazonaws.com/tiny-web@sha256:{'a' * 64}")
for name in ("shop", "till"):
    container = Container(
        image=image,
        name="web",
        command=["python3", "main.py"],
        port=8080,
        environment={"PORT": "8080"},
        secrets={"TOKEN": secret.reference()},
    )
    task = Task(name, TaskArgs(account=account, containers=[container]), opts)
    service = Service(name, ServiceArgs(task=task, cluster=cluster, network=network, desired_count=1), opts)
    pulumi.export(name, service.arn)
    if name == "shop":
        redeployment = RedeploymentArgs(
            account=account, service=service, cluster=cluster, secrets={"token": secret.arn}, alerts=alerts.arn
        )
        pulumi.export("machine", Redeployment("shop-rotation", redeployment, opts).arn)
pulumi.export("secret", secret.arn)
