"""What `with_components.py` registers, written by hand with pulumi_aws: the yardstick, and no example to follow."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
from fixtures import ACCOUNT_ID, ENDPOINT_ID, IMAGE_URI, KEY_ARN, NETWORK, REGION, REPOSITORY_ARN, ROOT
from pulumi import Output, ResourceOptions

_FUNCTION = ROOT / "apps/query_service/function"
_TRUST_CONDITION = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
    "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT_ID}:*"},
}
_ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "status": "$context.status",
    "source_ip": "$context.identity.sourceIp",
    "vpc_endpoint": "$context.identity.vpceId",
    "caller": "$context.identity.caller",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integrationLatency",
    "integration_status": "$context.integrationStatus",
    "response_bytes": "$context.responseLength",
    "error": "$context.error.message",
    "integration_error": "$context.integrationErrorMessage",
}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trust(service: str, condition: dict[str, Any]) -> str:
    return policy(
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", "Condition": condition}
    )


def allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


class Shared:
    """The cluster and load balancer that all the services share."""

    def __init__(self, provider: aws.Provider) -> None:
        opts = ResourceOptions(provider=provider)
        self.opts = opts
        self.cluster = aws.ecs.Cluster(
            "bench", settings=[{"name": "containerInsights", "value": "enhanced"}], opts=opts
        )
        aws.ecs.ClusterCapacityProviders(
            "bench",
            cluster_name=self.cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 0}],
            opts=opts,
        )
        self.balancer_group = aws.ec2.SecurityGroup(
            "bench-internal",
            vpc_id=NETWORK.vpc_id,
            description="Load balancer: whom it lets in, and the services behind it",
            tags={"Name": "bench-internal"},
            opts=opts,
        )
        aws.vpc.SecurityGroupIngressRule(
            "bench-internal-80-10.0.0.0/16",
            security_group_id=self.balancer_group.id,
            cidr_ipv4="10.0.0.0/16",
            ip_protocol="tcp",
            from_port=80,
            to_port=80,
            opts=opts,
        )
        balancer = aws.lb.LoadBalancer(
            "bench-internal",
            load_balancer_type="application",
            internal=True,
            subnets=list(NETWORK.app_subnet_ids),
            security_groups=[self.balancer_group.id],
            idle_timeout=60,
            enable_http2=True,
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            enable_deletion_protection=True,
            opts=opts,
        )
        self.listener = aws.lb.Listener(
            "bench-internal-http",
            load_balancer_arn=balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[
                {
                    "type": "fixed-response",
                    "fixed_response": {
                        "content_type": "text/plain",
                        "message_body": "No such route",
                        "status_code": "404",
                    },
                }
            ],
            opts=opts,
        )


def query_service(name: str, number: int, shared: Shared) -> None:
    """Register one query-service."""
    opts, tags = shared.opts, {"Service": name}
    answers, source = tables(name, tags, opts)
    function = result_function(f"{name}-result", source, tags, opts)
    api_url = private_api(name, function, tags, opts)
    definition = task(name, answers, function, api_url, tags, opts)
    service = behind_balancer(name, number, definition, tags, shared)
    alarms(name, shared.cluster, service, tags, opts)


def tables(name: str, tags: dict[str, str], opts: ResourceOptions) -> tuple[aws.dynamodb.Table, aws.dynamodb.Table]:
    answers = aws.dynamodb.Table(
        f"{name}-answers",
        billing_mode="PAY_PER_REQUEST",
        hash_key="pk",
        range_key="sk",
        attributes=[{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}],
        ttl={"attribute_name": "expires_at", "enabled": True},
        point_in_time_recovery={"enabled": True},
        server_side_encryption={"enabled": True},
        deletion_protection_enabled=True,
        tags=tags,
        opts=opts,
    )
    source = aws.dynamodb.Table(
        f"{name}-source",
        billing_mode="PAY_PER_REQUEST",
        hash_key="user_id",
        range_key="created_at",
        attributes=[{"name": "user_id", "type": "S"}, {"name": "created_at", "type": "S"}],
        point_in_time_recovery={"enabled": True},
        server_side_encryption={"enabled": True},
        deletion_protection_enabled=True,
        tags=tags,
        opts=opts,
    )
    return answers, source


def result_function(
    name: str, source: aws.dynamodb.Table, tags: dict[str, str], opts: ResourceOptions
) -> aws.lambda_.Function:
    group = f"/lambda/{name}"
    log_group = aws.cloudwatch.LogGroup(name, name=group, retention_in_days=30, tags=tags, opts=opts)
    role = aws.iam.Role(
        name,
        assume_role_policy=trust("lambda.amazonaws.com", {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}),
        tags=tags,
        opts=opts,
    )
    rights = aws.iam.RolePolicy(
        name,
        role=role.id,
        policy=source.arn.apply(
            lambda arn: policy(
                allow(
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    [f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{group}:*"],
                ),
                allow(["dynamodb:Query"], [arn]),
            )
        ),
        opts=opts,
    )
    return aws.lambda_.Function(
        name,
        role=role.arn,
        runtime="python3.14",
        handler="handler.handle",
        code=pulumi.AssetArchive(
            {path.name: pulumi.FileAsset(str(path)) for path in sorted(_FUNCTION.glob("*")) if path.is_file()}
        ),
        architectures=["x86_64"],
        memory_size=256,
        timeout=10,
        environment={"variables": {"SOURCE_TABLE_NAME": source.name}},
        logging_config={"log_format": "JSON", "log_group": group},
        tags=tags,
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[log_group, rights])),
    )


def private_api(name: str, function: aws.lambda_.Function, tags: dict[str, str], opts: ResourceOptions) -> Output[str]:
    api = aws.apigateway.RestApi(
        name,
        endpoint_configuration={"types": "PRIVATE", "vpc_endpoint_ids": [ENDPOINT_ID]},
        tags=tags,
        opts=opts,
    )
    outside = {"StringNotEquals": {"aws:SourceVpc": NETWORK.vpc_id}}
    elsewhere = {"StringNotEquals": {"aws:SourceVpce": ENDPOINT_ID}}
    gate = aws.apigateway.RestApiPolicy(
        name,
        rest_api_id=api.id,
        policy=api.execution_arn.apply(
            lambda arn: policy(
                {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": f"{arn}/*"},
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "execute-api:Invoke",
                    "Resource": f"{arn}/*",
                    "Condition": outside,
                },
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "execute-api:Invoke",
                    "Resource": f"{arn}/*",
                    "Condition": elsewhere,
                },
            )
        ),
        opts=opts,
    )
    query = aws.apigateway.Resource(
        f"{name}/query", rest_api=api.id, parent_id=api.root_resource_id, path_part="query", opts=opts
    )
    user = aws.apigateway.Resource(
        f"{name}/query/user", rest_api=api.id, parent_id=query.id, path_part="user", opts=opts
    )
    route = f"{name}-POST-/query/user"
    method = aws.apigateway.Method(
        route, rest_api=api.id, resource_id=user.id, http_method="POST", authorization="NONE", opts=opts
    )
    integration = aws.apigateway.Integration(
        route,
        rest_api=api.id,
        resource_id=user.id,
        http_method=method.http_method,
        integration_http_method="POST",
        type="AWS_PROXY",
        uri=function.invoke_arn,
        timeout_milliseconds=29_000,
        opts=opts,
    )
    aws.lambda_.Permission(
        route,
        action="lambda:InvokeFunction",
        statement_id=api.id.apply(lambda known: f"{known}-query-user"),
        function=function.name,
        principal="apigateway.amazonaws.com",
        source_arn=api.execution_arn.apply(lambda arn: f"{arn}/*/POST/query/user"),
        opts=opts,
    )
    group = aws.cloudwatch.LogGroup(
        f"{name}-api", name=f"/api-gateway/{name}", retention_in_days=30, tags=tags, opts=opts
    )
    deployment = aws.apigateway.Deployment(
        name,
        rest_api=api.id,
        triggers={"said": function.invoke_arn},
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[gate, integration])),
    )
    stage = aws.apigateway.Stage(
        name,
        rest_api=api.id,
        deployment=deployment.id,
        stage_name="v1",
        access_log_settings={"destination_arn": group.arn, "format": json.dumps(_ACCESS_LOG)},
        xray_tracing_enabled=False,
        tags=tags,
        opts=opts,
    )
    aws.apigateway.MethodSettings(
        name,
        rest_api=api.id,
        stage_name=stage.stage_name,
        method_path="*/*",
        settings={
            "data_trace_enabled": False,
            "logging_level": "OFF",
            "throttling_burst_limit": 200,
            "throttling_rate_limit": 100,
        },
        opts=opts,
    )
    return stage.invoke_url


def task(
    name: str,
    answers: aws.dynamodb.Table,
    function: aws.lambda_.Function,
    api_url: Output[str],
    tags: dict[str, str],
    opts: ResourceOptions,
) -> aws.ecs.TaskDefinition:
    group = f"/ecs/{name}"
    log_group = aws.cloudwatch.LogGroup(name, name=group, retention_in_days=30, tags=tags, opts=opts)
    admits_ecs = trust("ecs-tasks.amazonaws.com", _TRUST_CONDITION)
    task_role = aws.iam.Role(f"{name}-task", assume_role_policy=admits_ecs, tags=tags, opts=opts)
    task_rights = aws.iam.RolePolicy(
        f"{name}-task",
        role=task_role.id,
        policy=Output.all(answers.arn, function.arn).apply(
            lambda arns: policy(
                allow(
                    [
                        "dynamodb:GetItem",
                        "dynamodb:Query",
                        "dynamodb:PutItem",
                        "dynamodb:UpdateItem",
                        "dynamodb:DeleteItem",
                    ],
                    [arns[0]],
                ),
                allow(["lambda:InvokeFunction"], [arns[1]]),
            )
        ),
        opts=opts,
    )
    execution_role = aws.iam.Role(f"{name}-execution", assume_role_policy=admits_ecs, tags=tags, opts=opts)
    execution_rights = aws.iam.RolePolicy(
        f"{name}-execution",
        role=execution_role.id,
        policy=policy(
            allow(["ecr:GetAuthorizationToken"], ["*"]),
            allow(
                ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                [REPOSITORY_ARN],
            ),
            allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                [f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{group}:*"],
            ),
        ),
        opts=opts,
    )
    definition = Output.all(api_url, answers.name, function.name).apply(
        lambda known: json.dumps(
            [
                {
                    "name": "ecs-handler",
                    "image": IMAGE_URI,
                    "essential": True,
                    "command": ["python", "main.py"],
                    "environment": [
                        {"name": "AWS_DEFAULT_REGION", "value": REGION},
                        {"name": "ENVIRONMENT", "value": "bench"},
                        {"name": "FUNCTION_NAME", "value": known[2]},
                        {"name": "INTERNAL_API_URL", "value": known[0]},
                        {"name": "REQUEST_TIMEOUT", "value": "30"},
                        {"name": "TABLE_NAME", "value": known[1]},
                    ],
                    "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
                    "healthCheck": {
                        "command": ["CMD", "python", "healthcheck.py"],
                        "interval": 30,
                        "timeout": 5,
                        "retries": 3,
                        "startPeriod": 60,
                    },
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": group,
                            "awslogs-region": REGION,
                            "awslogs-stream-prefix": "ecs",
                            "mode": "non-blocking",
                            "max-buffer-size": "25m",
                        },
                    },
                    "readonlyRootFilesystem": True,
                    "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
                    "stopTimeout": 30,
                }
            ]
        )
    )
    return aws.ecs.TaskDefinition(
        name,
        family=name,
        cpu="256",
        memory="512",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
        task_role_arn=task_role.arn,
        execution_role_arn=execution_role.arn,
        container_definitions=definition,
        tags=tags,
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[log_group, task_rights, execution_rights])),
    )


def behind_balancer(
    name: str, number: int, definition: aws.ecs.TaskDefinition, tags: dict[str, str], shared: Shared
) -> aws.ecs.Service:
    opts = shared.opts
    group = aws.ec2.SecurityGroup(
        name, description="Tasks: whom they let in, and whom they call", vpc_id=NETWORK.vpc_id, tags=tags, opts=opts
    )
    out = aws.vpc.SecurityGroupEgressRule(
        f"{name}-to-443",
        security_group_id=group.id,
        cidr_ipv4="0.0.0.0/0",
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        tags=tags,
        opts=opts,
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-8000-from-balancer",
        security_group_id=group.id,
        referenced_security_group_id=shared.balancer_group.id,
        ip_protocol="tcp",
        from_port=8000,
        to_port=8000,
        tags=tags,
        opts=opts,
    )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-8000-balancer-out",
        security_group_id=shared.balancer_group.id,
        referenced_security_group_id=group.id,
        ip_protocol="tcp",
        from_port=8000,
        to_port=8000,
        tags=tags,
        opts=opts,
    )
    target_group = aws.lb.TargetGroup(
        name,
        vpc_id=NETWORK.vpc_id,
        target_type="ip",
        protocol="HTTP",
        port=80,
        deregistration_delay=30,
        health_check={
            "path": "/health",
            "interval": 30,
            "timeout": 5,
            "healthy_threshold": 2,
            "unhealthy_threshold": 2,
            "matcher": "200",
        },
        tags=tags,
        opts=opts,
    )
    rule = aws.lb.ListenerRule(
        name,
        listener_arn=shared.listener.arn,
        priority=1000 + number,
        conditions=[{"path_pattern": {"values": [f"/{name}/*"]}}],
        actions=[{"type": "forward", "target_group_arn": target_group.arn}],
        tags=tags,
        opts=opts,
    )
    return aws.ecs.Service(
        name,
        cluster=shared.cluster.arn,
        task_definition=definition.arn,
        desired_count=2,
        capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 0}],
        network_configuration={
            "subnets": list(NETWORK.app_subnet_ids),
            "security_groups": [group.id],
            "assign_public_ip": False,
        },
        load_balancers=[
            {"target_group_arn": target_group.arn, "container_name": "ecs-handler", "container_port": 8000}
        ],
        health_check_grace_period_seconds=60,
        deployment_minimum_healthy_percent=50,
        deployment_maximum_percent=200,
        deployment_circuit_breaker={"enable": True, "rollback": True},
        availability_zone_rebalancing="ENABLED",
        force_new_deployment=True,
        enable_execute_command=False,
        enable_ecs_managed_tags=True,
        propagate_tags="SERVICE",
        wait_for_steady_state=True,
        tags=tags,
        opts=ResourceOptions.merge(
            opts,
            ResourceOptions(
                depends_on=[rule, out],
                custom_timeouts=pulumi.CustomTimeouts(create="20m", update="20m", delete="20m"),
            ),
        ),
    )


def alarms(
    name: str, cluster: aws.ecs.Cluster, service: aws.ecs.Service, tags: dict[str, str], opts: ResourceOptions
) -> None:
    topic = aws.sns.Topic(f"{name}-alerts", kms_master_key_id=KEY_ARN, tags=tags, opts=opts)
    aws.sns.TopicPolicy(
        f"{name}-alerts",
        arn=topic.arn,
        policy=topic.arn.apply(
            lambda arn: policy(
                {
                    "Sid": "TlsOnly",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": ["sns:Publish"],
                    "Resource": [arn],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                    "Action": ["sns:Publish"],
                    "Resource": arn,
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
                        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT_ID}:alarm:*"},
                    },
                },
            )
        ),
        opts=opts,
    )
    for kind, metric, threshold in (("cpu", "CPUUtilization", 70), ("memory", "MemoryUtilization", 80)):
        aws.cloudwatch.MetricAlarm(
            f"{name}-{kind}",
            alarm_description=f"{name}: {kind} over {threshold} % on average, or no task that runs",
            namespace="AWS/ECS",
            metric_name=metric,
            dimensions={"ClusterName": cluster.name, "ServiceName": service.name},
            statistic="Average",
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            period=300,
            evaluation_periods=2,
            treat_missing_data="breaching",
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn],
            tags=tags,
            opts=opts,
        )


def build(count: int, provider: aws.Provider) -> None:
    """Register *count* query-services."""
    shared = Shared(provider)
    for number in range(count):
        query_service(f"query-service-{number}", number, shared)
