"""For each class that makes resources, arguments that say everything it takes: what the contract tests build it from.

A component without a sample fails a test, and so does an argument that no sample gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pulumi import Output, ResourceOptions

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.alarms import AlarmsArgs
from components.api_gateway_logging import ApiGatewayLogging, ApiGatewayLoggingArgs
from components.api_stage import Throttle
from components.boundary import BoundaryArgs
from components.bucket import BucketArgs
from components.capacity import Capacity
from components.cluster import Cluster, ClusterArgs
from components.container import Container, HealthCheck, Tmpfs, Ulimit
from components.database import DatabaseArgs
from components.deploy_role import DeployRoleArgs, GithubProvider, GithubProviderArgs
from components.deployment import Deployment
from components.discovery import (
    Address,
    AlbGrpc,
    CloudMap,
    Discovery,
    DiscoveryArgs,
    Lattice,
    Nlb,
    ServiceConnect,
)
from components.domain import Domain
from components.ec2_capacity import Ec2CapacityArgs
from components.ec2_instances import Ec2Instances
from components.failure_events import FailedRunsArgs, FailedTasksArgs
from components.fargate import InstanceSize, Size
from components.file_system import AccessPoint, FileSystemArgs
from components.flow_logs import FlowLogs
from components.function import FunctionArgs
from components.grants import Grant
from components.guard import Guard, GuardArgs
from components.image import Image
from components.instance_profile import InstanceProfileArgs
from components.job import Job, JobArgs
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.logs import Logs
from components.managed_instances import InfrastructureRoleArgs, ManagedCapacityArgs, ManagedInstances
from components.namespace import Namespace, NamespaceArgs
from components.network import NetworkArgs
from components.network_load_balancer import NetworkListener, NetworkLoadBalancerArgs, TcpHealth
from components.placement import Placement, Strategy
from components.public_api import PublicApiArgs
from components.queue import QueueArgs
from components.repository import RepositoryArgs
from components.rest_api import RestApiArgs
from components.rollout import Rollout
from components.rotation import RedeploymentArgs
from components.run import Run
from components.scaling import Scaling
from components.schedule import ScheduleArgs
from components.secret import SecretArgs, SecretReference
from components.service import Service, ServiceArgs, TargetHealth
from components.service_network import ServiceNetwork, ServiceNetworkArgs
from components.shifting import ShiftingRoleArgs
from components.sleep import Sleep
from components.table import TableArgs
from components.task import Task, TaskArgs
from components.topic import TopicArgs
from components.usage_plan import Quota, UsagePlan
from components.volume import Volume
from tests.components.library import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ACCOUNT: Final = Account(id="111122223333", region="eu-west-1")
KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/1"
CERTIFICATE: Final = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
NETWORK: Final = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
    public_subnet_ids=("subnet-2a1b2c3d", "subnet-3a1b2c3d"),
    nat_addresses={"a": "203.0.113.7", "b": "203.0.113.8"},
)
DATA_NETWORK: Final = replace(NETWORK, data_subnet_ids=("subnet-4a1b2c3d", "subnet-5a1b2c3d"))
IMAGE: Final = Image.at("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64)
GRANTS: Final = (
    Grant(
        actions=("s3:GetObject", "s3:PutObject"),
        resources=("arn:aws:s3:::shop/*", "arn:aws:s3:::till/*"),
        conditions={"StringEquals": {"aws:PrincipalTag/Team": "shop"}},
    ),
    Grant(actions=("sqs:SendMessage",), resources=("arn:aws:sqs:eu-west-1:111122223333:orders",)),
)
SECRET: Final = SecretReference.adopted(
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbCdEf", key="password", kms_key_arn=KEY
)
SLEEP: Final = Sleep(time_zone="Asia/Taipei")
VOLUMES: Final = tuple(
    Volume(
        name=f"shop-{name}",
        file_system_id="fs-0a1b2c3d",
        access_point_id=f"fsap-{name}",
        grants=(
            Grant(
                actions=("elasticfilesystem:ClientMount",),
                resources=("arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-0a1b2c3d",),
                conditions={
                    "StringEquals": {
                        "elasticfilesystem:AccessPointArn": (
                            f"arn:aws:elasticfilesystem:eu-west-1:111122223333:access-point/fsap-{name}"
                        )
                    }
                },
            ),
        ),
        read_only=True,
    )
    for name in ("goods", "prices")
)
CONTAINERS: Final = (
    Container(
        image=IMAGE,
        port=8080,
        command=("python", "main.py"),
        environment={"STAGE": "test", "COLOUR": "red"},
        secrets={"PASSWORD": SECRET, "TOKEN": SECRET},
        health_check=HealthCheck(command=("CMD", "true")),
        depends_on={"proxy": "HEALTHY"},
        tmpfs=(Tmpfs(path="/tmp", mib=16), Tmpfs(path="/run", mib=1)),  # noqa: S108 - inside a container
        ulimits=(Ulimit(name="nofile", soft=1024, hard=4096), Ulimit(name="core", soft=0, hard=0)),
        mounts={"/goods": VOLUMES[0], "/prices": VOLUMES[1]},
        user="1000",
        memory=256,
        cpu=128,
    ),
    Container(
        image=IMAGE,
        name="proxy",
        port=9090,
        port_name="proxy",
        app_protocol="grpc",
        health_check=HealthCheck(command=("CMD", "true")),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Answerer:
    """A function by its names, as a route takes it."""

    function_name: str = "answer"
    invoke_arn: str = "arn:aws:apigateway:eu-west-1:lambda:path/answer/invocations"


def _network(_: ResourceOptions) -> Iterator[NetworkArgs]:
    yield NetworkArgs(
        account=ACCOUNT,
        cidr="10.8.0.0/16",
        zones=("a", "b", "c"),
        nat="single",
        gateway_endpoints=("dynamodb",),
        interface_endpoints=("ecr.api", "ecr.dkr", "logs"),
        flow_logs=FlowLogs(retention_days=7),
    )
    yield NetworkArgs(account=ACCOUNT)


def _cluster(_: ResourceOptions) -> Iterator[ClusterArgs]:
    yield ClusterArgs(
        account=ACCOUNT,
        capacity=(Capacity("FARGATE_SPOT", weight=3), Capacity("FARGATE", base=1)),
        container_insights="enabled",
        exec_audit=Logs(),
    )

    yield ClusterArgs(
        account=ACCOUNT,
        capacity=(Capacity("general"),),
        instances={"general": Ec2Instances(network=NETWORK, maximum=2), "managed": ManagedInstances(network=NETWORK)},
        sleep=SLEEP,
    )


def _ec2_capacity(opts: ResourceOptions) -> Iterator[Ec2CapacityArgs]:
    balancers = [LoadBalancer(name, LoadBalancerArgs(network=NETWORK), opts) for name in ("inner", "outer")]
    yield Ec2CapacityArgs(
        account=ACCOUNT,
        cluster_name="main",
        instances=Ec2Instances(
            network=NETWORK,
            minimum=1,
            maximum=4,
            instance_types=("m7g.large", "m6g.large"),
            architecture="ARM64",
            on_demand_base=1,
            on_demand_percent=50,
            disk=50,
            target_capacity=90,
            warmup=60,
            open_ports=(443, 80),
            balancers=balancers,
            tags={"Project": "shop", "Owner": "till"},
        ),
        sleep=SLEEP,
    )


def _managed_capacity(_: ResourceOptions) -> Iterator[ManagedCapacityArgs]:
    yield ManagedCapacityArgs(
        account=ACCOUNT,
        cluster_name="main",
        instances=ManagedInstances(
            network=NETWORK,
            cpus=(1, 4),
            memory=(2048, 8192),
            instance_types=("m7i.*", "m6i.*"),
            spot=True,
            disk=100,
            open_ports=(443, 80),
            tags={"Project": "shop", "Owner": "till"},
        ),
    )


def _infrastructure_role(_: ResourceOptions) -> Iterator[InfrastructureRoleArgs]:
    yield InfrastructureRoleArgs(
        account=ACCOUNT,
        instance_role_arn="arn:aws:iam::111122223333:role/shop-instance",
        subnet_ids=NETWORK.app_subnet_ids,
        security_group_id="sg-0a1b2c3d",
    )


def _shifting_role(_: ResourceOptions) -> Iterator[ShiftingRoleArgs]:
    balancing = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
    yield ShiftingRoleArgs(
        target_group_arns=[f"{balancing}:targetgroup/shop/1a", f"{balancing}:targetgroup/shop-alt/2b"],
        rule_arns=[f"{balancing}:listener-rule/app/main/3c/4d/5e"],
    )


def _instance_profile(_: ResourceOptions) -> Iterator[InstanceProfileArgs]:
    yield InstanceProfileArgs(
        account=ACCOUNT,
        cluster_name="main",
        on_cluster=("ecs:SubmitTaskStateChange", "ecs:RegisterContainerInstance"),
        on_instances=("ecs:StartTelemetrySession", "ecs:Poll"),
    )


def _repository(_: ResourceOptions) -> Iterator[RepositoryArgs]:
    yield RepositoryArgs(pull_accounts=("222222222222", "333333333333"))
    yield RepositoryArgs(
        repository_name="shop",
        keep_images=3,
        untagged_days=1,
        scan_on_push=False,
        immutable_tags=False,
        force_delete=True,
    )


def _task(opts: ResourceOptions) -> Iterator[TaskArgs]:
    yield TaskArgs(
        account=ACCOUNT,
        containers=CONTAINERS,
        size=Size(512, 1024),
        grants=GRANTS,
        logs=Logs(mode="blocking"),
        log_group="/shop/lines",
        log_prefix="shop",
        ephemeral_storage=30,
        architecture="ARM64",
    )
    yield TaskArgs(
        account=ACCOUNT,
        containers=[Container(image=IMAGE)],
        family="shop",
        exec_on=Cluster("main", ClusterArgs(account=ACCOUNT, exec_audit=Logs()), opts),
    )

    yield TaskArgs(
        account=ACCOUNT,
        containers=[Container(image=IMAGE, port=8080, host_port=80)],
        size=InstanceSize(1000, 900),
        launch_type="EC2",
        network_mode="bridge",
    )


def _service(opts: ResourceOptions) -> Iterator[ServiceArgs]:
    cluster = Cluster("main", ClusterArgs(account=ACCOUNT), opts)
    task = Task("shop", TaskArgs(account=ACCOUNT, containers=CONTAINERS), opts)
    balancer = LoadBalancer("main", LoadBalancerArgs(network=NETWORK), opts)
    yield ServiceArgs(
        task=task,
        cluster=cluster,
        network=NETWORK,
        entrance=balancer.route(path=("/shop", "/shop/*"), host=("a.example.com", "b.example.com")),
        port=8080,
        target_health=TargetHealth(path="/well"),
        desired_count=3,
        scaling=Scaling(minimum=2, maximum=4, cpu_percent=70, memory_percent=70, requests_per_target=100),
        rollout=Rollout(minimum_healthy_percent=50),
        capacity=(Capacity("FARGATE"), Capacity("FARGATE_SPOT")),
        health_check_grace_period=30,
        deregistration_delay=10,
        before=[
            Job(name, JobArgs(run=Run(task=task), cluster=cluster, network=NETWORK, runner=NOBODY), opts)
            for name in ("first", "second")
        ],
        open_ports=(443, 5432),
    )
    for way in (Nlb(), Lattice(prefix_list_id="pl-0a1b2c3d")):
        shared = {"account": ACCOUNT, "network": NETWORK, "namespace": "shop.local", "port": 9090}
        served = Discovery(f"served-{way.kind}", DiscoveryArgs(**shared, ways=[way]), opts)
        called = [
            Discovery(f"{name}-{way.kind}", DiscoveryArgs(**shared, ways=[CloudMap()]), opts)
            for name in ("till", "web")
        ]
        yield ServiceArgs(task=task, cluster=cluster, network=NETWORK, discovery=served, calls=called)
    yield ServiceArgs(
        task=task,
        cluster=cluster,
        network=NETWORK,
        scaling=Scaling(minimum=1, maximum=2, memory_percent=50),
        sleep=SLEEP,
    )
    yield ServiceArgs(task=task, cluster=cluster, network=NETWORK, sleep=SLEEP)
    for deployment in (
        Deployment(
            strategy="linear", bake_minutes=3, step_percent=12.5, step_minutes=4, approval_minutes=30, error_percent=7
        ),
        Deployment(strategy="canary", canary_percent=0.5, canary_minutes=9, alarms=True),
    ):
        route = balancer.route(path=f"/{deployment.strategy}")
        yield ServiceArgs(task=task, cluster=cluster, network=NETWORK, entrance=route, port=8080, deployment=deployment)
    yield from _services_on_ec2(balancer, opts)


@dataclass(frozen=True, kw_only=True)
class Nobody:
    """Runs no job."""

    region: str

    def __call__(self, name: str, request: str, timeout: int) -> None:
        """Refuse."""
        raise AssertionError(f"{name}: {request} within {timeout} s")


NOBODY: Final = Nobody(region="eu-west-1")


def _job(opts: ResourceOptions) -> Iterator[JobArgs]:
    migration = Task("migration", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)]), opts)
    yield JobArgs(
        run=Run(task=migration, command=("node", "migrate.js")),
        cluster=Cluster("main", ClusterArgs(account=ACCOUNT), opts),
        network=NETWORK,
        runner=NOBODY,
        timeout=300,
        open_ports=(443, 5432),
        capacity=(Capacity("FARGATE"), Capacity("FARGATE_SPOT")),
    )


def _database(_: ResourceOptions) -> Iterator[DatabaseArgs]:
    yield DatabaseArgs(
        account=ACCOUNT,
        network=DATA_NETWORK,
        database_name="shop",
        users=("application", "read_only"),
        engine_version="18",
        major_upgrade=True,
        instance_class="db.r8g.large",
        storage=100,
        storage_limit=None,
        multi_az=False,
        backup_days=1,
        deletion_protection=False,
        final_snapshot=False,
        at_once=True,
        logs=Logs(retention_days=7),
        own_key=True,
    )
    yield DatabaseArgs(
        account=ACCOUNT, network=DATA_NETWORK, database_name="shop", users=("application",), kms_key_arn=KEY
    )


def _redeployment(opts: ResourceOptions) -> Iterator[RedeploymentArgs]:
    cluster = Cluster("main", ClusterArgs(account=ACCOUNT), opts)
    task = Task("shop", TaskArgs(account=ACCOUNT, containers=CONTAINERS), opts)
    yield RedeploymentArgs(
        account=ACCOUNT,
        service=Service("shop", ServiceArgs(task=task, cluster=cluster, network=NETWORK), opts),
        cluster=cluster,
        secrets={
            "tokens": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:tokens-a1b2c3",
            "application": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:application-a1b2c3",
        },
        alerts=ALERTS,
    )


def _services_on_ec2(balancer: LoadBalancer, opts: ResourceOptions) -> Iterator[ServiceArgs]:
    general = Ec2Instances(network=NETWORK, maximum=4, balancers=[balancer])
    machines = Cluster(
        "machines", ClusterArgs(account=ACCOUNT, capacity=[Capacity("general")], instances={"general": general}), opts
    )
    dynamic, static = (
        Task(
            name,
            TaskArgs(
                account=ACCOUNT,
                containers=[Container(image=IMAGE, port=8080, host_port=port)],
                launch_type="EC2",
                network_mode="bridge",
            ),
            opts,
        )
        for name, port in (("dynamic", None), ("static", 80))
    )
    yield ServiceArgs(
        task=dynamic,
        cluster=machines,
        network=NETWORK,
        entrance=balancer.route(path="/dynamic"),
        placement=Placement(
            strategies=(Strategy(kind="spread", by="attribute:ecs.availability-zone"), Strategy(kind="random")),
            constraints=("attribute:ecs.instance-type =~ m6*", "attribute:ecs.os-type == linux"),
            distinct_instances=True,
        ),
    )
    yield ServiceArgs(task=static, cluster=machines, network=NETWORK, entrance=balancer.route(path="/static"))
    agent = Task("agent", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)], launch_type="EC2"), opts)
    yield ServiceArgs(task=agent, cluster=machines, network=NETWORK, scheduling="DAEMON")


def _discovery(opts: ResourceOptions) -> Iterator[DiscoveryArgs]:
    balancer = LoadBalancer(
        "grpc",
        LoadBalancerArgs(network=NETWORK, domain=Domain(name="grpc.example.com", certificate_arn=CERTIFICATE)),
        opts,
    )
    namespace = Namespace("shop", NamespaceArgs(domain="shop.local", vpc_id=NETWORK.vpc_id), balancer.child())
    lattice = ServiceNetwork("shop", ServiceNetworkArgs(vpc_id=NETWORK.vpc_id), balancer.child())
    for ways in (
        (CloudMap(ttl=5), Nlb(health=TcpHealth(interval=10, timeout=5))),
        (ServiceConnect(idle_timeout=60, request_timeout=0),),
        (AlbGrpc(route=balancer.route(path="/shop.Till/*")),),
        (Lattice(prefix_list_id="pl-0a1b2c3d", signed=True, service_network=lattice),),
        (Address.of(balancer),),
        (Address(host="till.example.com", port=8443, tls=True),),
    ):
        yield DiscoveryArgs(account=ACCOUNT, network=NETWORK, ways=ways, port=9090, namespace=namespace)
    yield DiscoveryArgs(
        account=ACCOUNT,
        network=NETWORK,
        ways=[CloudMap()],
        port=8080,
        protocol="http",
        service_name="till",
        namespace="till.local",
    )


def _namespace(_: ResourceOptions) -> Iterator[NamespaceArgs]:
    yield NamespaceArgs(domain="shop.local", vpc_id=NETWORK.vpc_id)


def _service_network(_: ResourceOptions) -> Iterator[ServiceNetworkArgs]:
    yield ServiceNetworkArgs(vpc_id=NETWORK.vpc_id)


def _network_load_balancer(_: ResourceOptions) -> Iterator[NetworkLoadBalancerArgs]:
    listeners = (
        NetworkListener(
            port=443,
            target_port=8080,
            certificate_arn=CERTIFICATE,
            alpn="HTTP2Only",
            health=TcpHealth(interval=10, timeout=5),
            deregistration_delay=60,
            connection_termination=True,
            preserve_client_ip=True,
            proxy_protocol=True,
        ),
        NetworkListener(port=50051),
    )
    yield NetworkLoadBalancerArgs(
        network=NETWORK,
        listeners=listeners,
        open_to=("vpc", "10.9.0.0/16"),
        clients={"till": "sg-1", "web": "sg-2"},
        cross_zone=False,
        deletion_protection=False,
    )
    yield NetworkLoadBalancerArgs(network=NETWORK, internal=False, listeners=listeners)


def _load_balancer(_: ResourceOptions) -> Iterator[LoadBalancerArgs]:
    yield LoadBalancerArgs(
        network=NETWORK,
        open_to=("vpc", "10.9.0.0/16"),
        clients={"till": "sg-1", "web": "sg-2"},
        domain=Domain(
            name="shop.example.com", further_names=("*.shop.example.com", "www.example.com"), zone_id="Z0123456789A"
        ),
        idle_timeout=30,
        access_logs="logs",
    )
    yield LoadBalancerArgs(
        network=NETWORK, internal=False, open_to=("nat", "198.51.100.0/24"), deletion_protection=False
    )


def _rest_api(opts: ResourceOptions) -> Iterator[RestApiArgs]:
    yield RestApiArgs(
        account=ACCOUNT,
        vpc_id="vpc-0a1b2c3d",
        endpoint_id="vpce-0a1b2c3d",
        routes={"POST /query/user": Answerer(), "GET /query/{id}": Answerer(), "ANY /files/{rest+}": Answerer()},
        stage="v2",
        authorization="AWS_IAM",
        timeout_ms=1000,
        rate_limit=10,
        burst_limit=20,
        logs=Logs(retention_days=7),
        logging=ApiGatewayLogging("logging", ApiGatewayLoggingArgs(account=ACCOUNT), opts),
        tracing=True,
    )


def _public_api(opts: ResourceOptions) -> Iterator[PublicApiArgs]:
    yield PublicApiArgs(
        account=ACCOUNT,
        network=NETWORK,
        load_balancer=LoadBalancer("plain", LoadBalancerArgs(network=NETWORK), opts),
        stage="live",
        throttle=Throttle(rate_limit=10, burst_limit=20),
        method_throttles={
            "POST /login": Throttle(rate_limit=1, burst_limit=2),
            "GET /users/{id}": Throttle(rate_limit=3, burst_limit=4),
        },
        plans={
            "partners": UsagePlan(
                clients=("till", "web"),
                throttle=Throttle(rate_limit=5, burst_limit=6),
                quota=Quota(limit=1000, period="WEEK"),
            ),
            "staff": UsagePlan(clients=("desk",)),
        },
        timeout_ms=1000,
        media_types=("application/json", "text/plain"),
        domain=Domain(name="api.example.com", further_names=("www.example.com",), zone_id="Z0123456789A"),
        web_acl_arn="arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1",
        logs=Logs(retention_days=7),
        logging=ApiGatewayLogging("api-logging", ApiGatewayLoggingArgs(account=ACCOUNT), opts),
        tracing=True,
    )
    secured = Domain(name="shop.example.com", certificate_arn=CERTIFICATE)
    yield PublicApiArgs(
        account=ACCOUNT,
        network=NETWORK,
        load_balancer=LoadBalancer("secured", LoadBalancerArgs(network=NETWORK, domain=secured), opts),
    )


def _logging(_: ResourceOptions) -> Iterator[ApiGatewayLoggingArgs]:
    yield ApiGatewayLoggingArgs(account=ACCOUNT, log_groups=("/apis/*", "/other"))


def _file_system(_: ResourceOptions) -> Iterator[FileSystemArgs]:
    yield FileSystemArgs(
        account=ACCOUNT,
        network=NETWORK,
        access_points={"data": AccessPoint(path="/data", uid=1, gid=1, mode="700"), "old": AccessPoint(path="/old")},
        throughput="bursting",
        infrequent_access_after=30,
        backup=False,
        protect=False,
        own_key=True,
    )
    yield FileSystemArgs(
        account=ACCOUNT, network=NETWORK, access_points={"data": AccessPoint(path="/data")}, kms_key_arn=KEY
    )


def _alarms(_: ResourceOptions) -> Iterator[AlarmsArgs]:
    yield AlarmsArgs(
        cluster_name="main",
        service_name="shop",
        actions=("arn:aws:sns:eu-west-1:111122223333:one", "arn:aws:sns:eu-west-1:111122223333:two"),
        cpu_percent=60,
        memory_percent=60,
        running_tasks_below=1,
        load_balancer_arn_suffix="app/main/1",
        target_group_arn_suffix="targetgroup/shop/1",
        period=60,
        evaluation_periods=3,
        datapoints_to_alarm=2,
        sleep=SLEEP,
    )


def _table(_: ResourceOptions) -> Iterator[TableArgs]:
    yield TableArgs(
        partition_key="id",
        sort_key=("at", "N"),
        ttl_attribute="gone",
        point_in_time_recovery=False,
        deletion_protection=False,
    )


def _function(_: ResourceOptions) -> Iterator[FunctionArgs]:
    yield FunctionArgs(
        account=ACCOUNT,
        code=str(FOLDER),
        handler="naming.autonamed",
        runtime="python3.13",
        memory=128,
        timeout=3,
        environment={"STAGE": "test", "COLOUR": "red"},
        grants=GRANTS,
        logs=Logs(retention_days=7),
        reserved_concurrency=1,
        architecture="arm64",
        tracing=True,
    )


def _topic(_: ResourceOptions) -> Iterator[TopicArgs]:
    yield TopicArgs(account=ACCOUNT, emails=("b@example.com", "a@example.com"))
    yield TopicArgs(account=ACCOUNT, publishers=(), kms_key_arn=KEY)


def _queue(_: ResourceOptions) -> Iterator[QueueArgs]:
    yield QueueArgs(visibility_timeout=60, retention=3600, max_receives=3)
    yield QueueArgs(queue_name="orders", max_receives=None)


def _bucket(_: ResourceOptions) -> Iterator[BucketArgs]:
    yield BucketArgs(old_versions_days=30, expire_days=365, kms_key_arn=KEY, force_destroy=True)
    yield BucketArgs(versioned=False, log_delivery=ACCOUNT)


def _boundary(_: ResourceOptions) -> Iterator[BoundaryArgs]:
    closed = ("arn:aws:s3:::state", "arn:aws:s3:::state/*")
    yield BoundaryArgs(account=ACCOUNT, policy_name="shop", role_path="/shop/test/", closed=closed, path="/walls/")


def _github_provider(_: ResourceOptions) -> Iterator[GithubProviderArgs]:
    yield GithubProviderArgs(account=ACCOUNT)


def _deploy_role(opts: ResourceOptions) -> Iterator[DeployRoleArgs]:
    yield DeployRoleArgs(
        account=ACCOUNT,
        github=GithubProvider("github", GithubProviderArgs(account=ACCOUNT), opts),
        role_name="deploy-shop",
        repository="acme/shop",
        runs=("environment:test", "ref:refs/heads/main"),
        policies={"data": GRANTS[:1], "queues": GRANTS[1:]},
        never=GRANTS[1:],
        path="/walls/",
        max_session=7200,
    )


def _secret(_: ResourceOptions) -> Iterator[SecretArgs]:
    yield SecretArgs(description="What the shop knows", value=Output.secret("hidden"), kms_key_arn=KEY)
    yield SecretArgs(secret_name="shop", recovery_days=7)  # noqa: S106 - a name


ALERTS: Final = "arn:aws:sns:eu-west-1:111122223333:alerts"


def _failed_tasks(_: ResourceOptions) -> Iterator[FailedTasksArgs]:
    cluster = "arn:aws:ecs:eu-west-1:111122223333:cluster/main"
    yield FailedTasksArgs(account=ACCOUNT, cluster_arn=cluster, family="shop", topic_arn=ALERTS, interruptions=False)
    yield FailedTasksArgs(
        account=ACCOUNT, cluster_arn=cluster, family="shop", topic_arn=ALERTS, task_group="schedule:shop"
    )


def _failed_runs(_: ResourceOptions) -> Iterator[FailedRunsArgs]:
    machine = ACCOUNT.arn("states", "stateMachine:shop")
    yield FailedRunsArgs(state_machine_arn=machine, topic_arn=ALERTS)


def _guard(opts: ResourceOptions) -> Iterator[GuardArgs]:
    yield GuardArgs(
        account=ACCOUNT,
        tasks=[Task(name, TaskArgs(account=ACCOUNT, containers=CONTAINERS), opts) for name in ("shop", "till")],
        cluster=Cluster("main", ClusterArgs(account=ACCOUNT), opts),
        network=NETWORK,
        alerts=ALERTS,
        timeout=600,
        retries=1,
        skips=5,
        open_ports=(443, 5432),
        capacity=(Capacity("FARGATE"), Capacity("FARGATE_SPOT")),
    )


def _schedule(opts: ResourceOptions) -> Iterator[ScheduleArgs]:
    cluster = Cluster("main", ClusterArgs(account=ACCOUNT), opts)
    task = Task("shop", TaskArgs(account=ACCOUNT, containers=CONTAINERS), opts)
    guard = Guard(
        "guard", GuardArgs(account=ACCOUNT, tasks=[task], cluster=cluster, network=NETWORK, alerts=ALERTS), opts
    )
    yield ScheduleArgs(
        account=ACCOUNT,
        task=task,
        cluster=cluster,
        network=NETWORK,
        alerts=ALERTS,
        expression="cron(0 18 * * ? *)",
        timezone="Asia/Taipei",
        command=("python", "sync.py"),
        environment={"STAGE": "night", "COLOUR": "red"},
        size=Size(512, 1024),
        container="app",
        guard=guard,
        retries=2,
        max_event_age=600,
        flexible_window=15,
        start="2100-01-01T00:00:00Z",
        end="2101-01-01T00:00:00Z",
        enabled=False,
    )
    yield ScheduleArgs(
        account=ACCOUNT, task=task, cluster=cluster, network=NETWORK, alerts=ALERTS, expression="rate(1 day)"
    )
    yield ScheduleArgs(
        account=ACCOUNT,
        task=task,
        cluster=cluster,
        network=NETWORK,
        alerts=ALERTS,
        expression="rate(5 minutes)",
        overlap="allow",
        open_ports=(443, 5432),
        capacity=(Capacity("FARGATE"), Capacity("FARGATE_SPOT")),
    )


SAMPLES: Final[Mapping[str, Callable[[ResourceOptions], Iterator[Any]]]] = {
    "Alarms": _alarms,
    "ApiGatewayLogging": _logging,
    "Boundary": _boundary,
    "Bucket": _bucket,
    "Cluster": _cluster,
    "Database": _database,
    "DeployRole": _deploy_role,
    "FileSystem": _file_system,
    "Discovery": _discovery,
    "Ec2Capacity": _ec2_capacity,
    "FailedRuns": _failed_runs,
    "FailedTasks": _failed_tasks,
    "Function": _function,
    "GithubProvider": _github_provider,
    "Guard": _guard,
    "InfrastructureRole": _infrastructure_role,
    "ShiftingRole": _shifting_role,
    "InstanceProfile": _instance_profile,
    "Job": _job,
    "LoadBalancer": _load_balancer,
    "ManagedCapacity": _managed_capacity,
    "Namespace": _namespace,
    "ServiceNetwork": _service_network,
    "Network": _network,
    "NetworkLoadBalancer": _network_load_balancer,
    "PublicApi": _public_api,
    "Queue": _queue,
    "Redeployment": _redeployment,
    "Repository": _repository,
    "RestApi": _rest_api,
    "Schedule": _schedule,
    "Secret": _secret,
    "Service": _service,
    "Table": _table,
    "Task": _task,
    "Topic": _topic,
}
"""Class → its arguments, in as many variants as exclude each other; components they need are made with the options."""
