"""A guarded job on a schedule and one that may overlap, with a database on a file system, told to one topic."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.file_system import AccessPoint, FileSystem, FileSystemArgs
from components.guard import Guard, GuardArgs
from components.image import Image
from components.network import Network, NetworkArgs
from components.schedule import Schedule, ScheduleArgs
from components.task import Task, TaskArgs
from components.topic import Topic, TopicArgs

account = Account(id="123456789012", region="ap-northeast-1")
provider = aws.Provider("aws", region=account.region, allowed_account_ids=[account.id])
etl = pulumi.ComponentResource("jobs:index:Etl", "etl", {}, pulumi.ResourceOptions(provider=provider))
etl.register_outputs({})
opts = pulumi.ResourceOptions(parent=etl)

network = Network("etl", NetworkArgs(account=account, nat="single"), opts)
cluster = Cluster("etl", ClusterArgs(account=account), opts)
publishers = ("cloudwatch.amazonaws.com", "events.amazonaws.com")
alerts = Topic("alerts", TopicArgs(account=account, publishers=publishers), opts)
files = FileSystem(
    "etl",
    FileSystemArgs(account=account, network=network, access_points={"data": AccessPoint(path="/etl")}, protect=False),
    opts,
)
repository = f"{account.id}.dkr.ecr.{account.region}.amazonaws.com/counter-of-visits"
task = Task(
    "etl",
    TaskArgs(
        account=account,
        containers=[
            Container(
                image=Image.at(f"{repository}@sha256:{'a' * 64}"),
                name="etl",
                environment={"DATA_DIR": "/app/data", "SOURCE_URL": "https://visits.example.com/today"},
                mounts={"/app/data": files.volume("data")},
            )
        ],
    ),
    opts,
)
guard = Guard(
    "etl", GuardArgs(account=account, tasks=[task], cluster=cluster, network=network, alerts=alerts.arn), opts
)
files.open_to("etl", guard.security_group_id)
places = {"account": account, "task": task, "cluster": cluster, "network": network, "alerts": alerts.arn}
counts = Schedule("counts", ScheduleArgs(**places, expression="rate(5 minutes)", command=["count"], guard=guard), opts)
fails = Schedule("fails", ScheduleArgs(**places, expression="rate(5 minutes)", command=["fail"], guard=guard), opts)
apart = Schedule("apart", ScheduleArgs(**places, expression="rate(5 minutes)", command=["wait"], overlap="allow"), opts)
files.open_to("apart", apart.security_group_id)

pulumi.export(
    "workloads",
    {
        "etl": {
            "alerts": alerts.arn,
            "mode": "scheduled",
            "run_now": {"counts": counts.run_now, "fails": fails.run_now, "apart": apart.run_now},
        }
    },
)
