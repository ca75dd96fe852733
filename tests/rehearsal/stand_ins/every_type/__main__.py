"""A program with every resource type that has a stand-in, each as a component of ours would declare it."""

import json

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

account = pulumi.Config().require("account")
provider = aws.Provider(
    "aws",
    region="eu-west-1",
    allowed_account_ids=[account],
    default_tags={"tags": {"Project": "every-type", "Service": "platform"}},
)


def options(*depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
    """Return the options of a resource: the one provider, and what it must come after."""
    return pulumi.ResourceOptions(provider=provider, depends_on=list(depends_on))


def trusting(service: str) -> str:
    """Return a trust policy for *service*."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}],
        }
    )


def allowing(action: str, principal: str | None = None) -> dict[str, object]:
    """Return a policy document that allows *action*, for *principal* where the policy is a resource's."""
    who = {"Principal": {"Service": principal}} if principal else {}
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*", **who}]}


# Network
vpc = aws.ec2.Vpc(
    "main",
    cidr_block="10.0.0.0/16",
    enable_dns_hostnames=True,
    enable_dns_support=True,
    tags={"Service": "network"},
    opts=options(),
)
aws.ec2.DefaultSecurityGroup("main", vpc_id=vpc.id, ingress=[], egress=[], opts=options())
internet = aws.ec2.InternetGateway("main", vpc_id=vpc.id, opts=options())
public = aws.ec2.RouteTable("public", vpc_id=vpc.id, opts=options())
aws.ec2.Route(
    "internet", route_table_id=public.id, destination_cidr_block="0.0.0.0/0", gateway_id=internet.id, opts=options()
)
subnets = [
    aws.ec2.Subnet(
        f"app-{zone}",
        vpc_id=vpc.id,
        cidr_block=f"10.0.{slot}.0/24",
        availability_zone=f"eu-west-1{zone}",
        map_public_ip_on_launch=False,
        opts=options(),
    )
    for slot, zone in ((10, "a"), (11, "b"))
]
aws.ec2.RouteTableAssociation("public", subnet_id=subnets[0].id, route_table_id=public.id, opts=options())
address = aws.ec2.Eip("nat", domain="vpc", opts=options())
nat = aws.ec2.NatGateway("nat", subnet_id=subnets[0].id, allocation_id=address.allocation_id, opts=options(internet))
private = aws.ec2.RouteTable(
    "private", vpc_id=vpc.id, routes=[{"cidr_block": "0.0.0.0/0", "nat_gateway_id": nat.id}], opts=options()
)
group = aws.ec2.SecurityGroup(
    "tasks",
    vpc_id=vpc.id,
    description="tasks",
    egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
    opts=options(),
)
aws.vpc.SecurityGroupIngressRule(
    "tasks-8000",
    security_group_id=group.id,
    referenced_security_group_id=group.id,
    ip_protocol="tcp",
    from_port=8000,
    to_port=8000,
    description="itself",
    opts=options(),
)
aws.vpc.SecurityGroupEgressRule(
    "tasks-443",
    security_group_id=group.id,
    cidr_ipv4="10.0.0.0/16",
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    opts=options(),
)
gateway_endpoint = aws.ec2.VpcEndpoint(
    "dynamodb",
    vpc_id=vpc.id,
    service_name="com.amazonaws.eu-west-1.dynamodb",
    vpc_endpoint_type="Gateway",
    route_table_ids=[private.id],
    opts=options(),
)
endpoint = aws.ec2.VpcEndpoint(
    "execute-api",
    vpc_id=vpc.id,
    service_name="com.amazonaws.eu-west-1.execute-api",
    vpc_endpoint_type="Interface",
    subnet_ids=[subnet.id for subnet in subnets],
    security_group_ids=[group.id],
    private_dns_enabled=True,
    policy=json.dumps(allowing("execute-api:Invoke", "ecs-tasks.amazonaws.com")),
    opts=options(),
)

# Identity
key = aws.kms.Key("main", description="main", enable_key_rotation=True, deletion_window_in_days=7, opts=options())
aws.kms.Alias("main", target_key_id=key.key_id, opts=options())
role = aws.iam.Role("task", assume_role_policy=trusting("ecs-tasks.amazonaws.com"), path="/", opts=options())
function_role = aws.iam.Role("function", assume_role_policy=trusting("lambda.amazonaws.com"), opts=options())
instance_role = aws.iam.Role("instance", assume_role_policy=trusting("ec2.amazonaws.com"), opts=options())
flow_role = aws.iam.Role("flow", assume_role_policy=trusting("vpc-flow-logs.amazonaws.com"), opts=options())
aws.iam.RolePolicy("task", role=role.name, policy=json.dumps(allowing("dynamodb:GetItem")), opts=options())
aws.iam.Policy("task", path="/pipeline/", policy=json.dumps(allowing("dynamodb:GetItem")), opts=options())
aws.iam.OpenIdConnectProvider(
    "github",
    url="https://token.actions.githubusercontent.com",
    client_id_lists=["sts.amazonaws.com"],
    tags={"Service": "pipeline"},
    opts=options(),
)
aws.iam.RolePolicyAttachment(
    "task", role=role.name, policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore", opts=options()
)
secret = aws.secretsmanager.Secret("token", recovery_window_in_days=7, kms_key_id=key.arn, opts=options())
aws.secretsmanager.SecretVersion(
    "token", secret_id=secret.id, secret_string=pulumi.Output.secret("hidden"), opts=options()
)
certificate = aws.acm.Certificate(
    "site",
    domain_name="example.com",
    validation_method="DNS",
    subject_alternative_names=["www.example.com"],
    opts=options(),
)
proofs = [
    aws.route53.Record(
        f"{name}-proof",
        zone_id="Z0123456789ABCDEFGHIJ",
        name=certificate.domain_validation_options[place].resource_record_name.apply(lambda name: name or ""),
        type="CNAME",
        records=[certificate.domain_validation_options[place].resource_record_value.apply(lambda value: value or "")],
        ttl=300,
        allow_overwrite=True,
        opts=options(),
    )
    for place, name in enumerate(("apex", "www"))
]
aws.acm.CertificateValidation(
    "site",
    certificate_arn=certificate.arn,
    validation_record_fqdns=[proof.fqdn for proof in proofs],
    opts=options(),
)

# Monitoring and messaging
logs = aws.cloudwatch.LogGroup("app", name="/ecs/app", retention_in_days=30, kms_key_id=key.arn, opts=options())
aws.cloudwatch.LogResourcePolicy(
    "events",
    policy_name="events",
    policy_document=json.dumps(allowing("logs:PutLogEvents", "events.amazonaws.com")),
    opts=options(),
)
aws.ec2.FlowLog(
    "main",
    vpc_id=vpc.id,
    traffic_type="ALL",
    log_destination_type="cloud-watch-logs",
    log_destination=logs.arn,
    iam_role_arn=flow_role.arn,
    max_aggregation_interval=60,
    opts=options(),
)
topic = aws.sns.Topic("alerts", display_name="alerts", kms_master_key_id=key.id, opts=options())
aws.sns.TopicPolicy(
    "alerts", arn=topic.arn, policy=json.dumps(allowing("sns:Publish", "cloudwatch.amazonaws.com")), opts=options()
)
queue = aws.sqs.Queue(
    "jobs", visibility_timeout_seconds=60, message_retention_seconds=3600, sqs_managed_sse_enabled=True, opts=options()
)
aws.sqs.QueuePolicy(
    "jobs", queue_url=queue.url, policy=json.dumps(allowing("sqs:SendMessage", "sns.amazonaws.com")), opts=options()
)
aws.sns.TopicSubscription(
    "jobs", topic=topic.arn, protocol="sqs", endpoint=queue.arn, raw_message_delivery=True, opts=options()
)
busy = aws.cloudwatch.MetricAlarm(
    "cpu",
    comparison_operator="GreaterThanThreshold",
    evaluation_periods=2,
    threshold=70,
    metric_name="CPUUtilization",
    namespace="AWS/ECS",
    period=300,
    statistic="Average",
    dimensions={"ClusterName": "main"},
    alarm_actions=[topic.arn],
    ok_actions=[topic.arn],
    treat_missing_data="breaching",
    opts=options(),
)
aws.cloudwatch.AlarmMuteRule(
    "nights",
    rule={"schedule": {"expression": "cron(0 20 * * FRI)", "duration": "P2DT12H30M", "timezone": "Asia/Taipei"}},
    mute_targets={"alarm_names": [busy.name]},
    opts=options(),
)
aws.cloudwatch.MetricAlarm(
    "errors",
    comparison_operator="GreaterThanThreshold",
    evaluation_periods=1,
    threshold=0.5,
    metric_queries=[
        {"id": "rate", "expression": "errors / 2", "label": "rate", "return_data": True},
        {
            "id": "errors",
            "metric": {"metric_name": "Errors", "namespace": "AWS/Lambda", "period": 60, "stat": "Sum"},
        },
    ],
    opts=options(),
)
rule = aws.cloudwatch.EventRule(
    "stopped",
    event_pattern=json.dumps({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}),
    opts=options(),
)
aws.cloudwatch.EventTarget(
    "stopped",
    rule=rule.name,
    arn=topic.arn,
    retry_policy={"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 2},
    dead_letter_config={"arn": queue.arn},
    input_transformer={"input_paths": {"task": "$.detail.taskArn"}, "input_template": '"<task>"'},
    opts=options(),
)

# Storage
table = aws.dynamodb.Table(
    "answers",
    attributes=[{"name": "user", "type": "S"}, {"name": "at", "type": "N"}, {"name": "kind", "type": "S"}],
    hash_key="user",
    range_key="at",
    billing_mode="PAY_PER_REQUEST",
    global_secondary_indexes=[{"name": "by-kind", "hash_key": "kind", "projection_type": "ALL"}],
    ttl={"attribute_name": "expires", "enabled": True},
    point_in_time_recovery={"enabled": True},
    server_side_encryption={"enabled": True, "kms_key_arn": key.arn},
    deletion_protection_enabled=True,
    stream_enabled=True,
    stream_view_type="NEW_IMAGE",
    opts=options(),
)
bucket = aws.s3.Bucket("logs", force_destroy=True, opts=options())
aws.s3.BucketPolicy(
    "logs",
    bucket=bucket.id,
    policy=json.dumps(allowing("s3:PutObject", "logdelivery.elasticloadbalancing.amazonaws.com")),
    opts=options(),
)
aws.s3.BucketPublicAccessBlock(
    "logs", bucket=bucket.id, block_public_acls=True, block_public_policy=True, opts=options()
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "logs",
    bucket=bucket.id,
    rules=[
        {
            "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn},
            "bucket_key_enabled": True,
        }
    ],
    opts=options(),
)
aws.s3.BucketOwnershipControls(
    "logs", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=options()
)
aws.s3.BucketLifecycleConfiguration(
    "logs",
    bucket=bucket.id,
    rules=[
        {
            "id": "expire",
            "status": "Enabled",
            "filter": {"prefix": "alb/"},
            "expiration": {"days": 90},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            "noncurrent_version_expiration": {"noncurrent_days": 30},
            "transitions": [{"days": 30, "storage_class": "STANDARD_IA"}],
        }
    ],
    opts=options(),
)
aws.s3.BucketVersioning("logs", bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=options())

files = aws.efs.FileSystem(
    "files",
    encrypted=True,
    kms_key_id=key.arn,
    performance_mode="generalPurpose",
    throughput_mode="provisioned",
    provisioned_throughput_in_mibps=1,
    lifecycle_policies=[
        {"transition_to_ia": "AFTER_30_DAYS"},
        {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
    ],
    protection={"replication_overwrite": "DISABLED"},
    opts=options(),
)
access_point = aws.efs.AccessPoint(
    "files",
    file_system_id=files.id,
    posix_user={"uid": 1000, "gid": 1000, "secondary_gids": [1001]},
    root_directory={
        "path": "/data",
        "creation_info": {"owner_uid": 1000, "owner_gid": 1000, "permissions": "755"},
    },
    opts=options(),
)
for subnet in subnets:
    aws.efs.MountTarget(
        f"files-{subnet.pulumi_resource_name}",
        file_system_id=files.id,
        subnet_id=subnet.id,
        security_groups=[group.id],
        opts=options(),
    )
aws.efs.BackupPolicy("files", file_system_id=files.id, backup_policy={"status": "ENABLED"}, opts=options())
aws.efs.FileSystemPolicy(
    "files",
    file_system_id=files.id,
    policy=json.dumps(allowing("elasticfilesystem:ClientMount", "ecs-tasks.amazonaws.com")),
    opts=options(),
)

# Images
repository = aws.ecr.Repository(
    "app",
    name="app",
    image_scanning_configuration={"scan_on_push": True},
    image_tag_mutability="IMMUTABLE",
    encryption_configurations=[{"encryption_type": "KMS", "kms_key": key.arn}],
    force_delete=True,
    opts=options(),
)
aws.ecr.LifecyclePolicy(
    "app",
    repository=repository.name,
    policy={
        "rules": [
            {
                "rule_priority": 1,
                "selection": {"tag_status": "any", "count_type": "imageCountMoreThan", "count_number": 10},
                "action": {"type": "expire"},
            }
        ]
    },
    opts=options(),
)
aws.ecr.RepositoryPolicy(
    "app",
    repository=repository.name,
    policy=json.dumps(allowing("ecr:BatchGetImage", "lambda.amazonaws.com")),
    opts=options(),
)
image = awsx.ecr.Image(
    "app",
    repository_url=repository.repository_url,
    context="image",
    platform="linux/amd64",
    opts=pulumi.ResourceOptions(providers=[provider]),
)

# Load balancer
balancer = aws.lb.LoadBalancer(
    "main",
    load_balancer_type="application",
    internal=True,
    subnets=[subnet.id for subnet in subnets],
    security_groups=[group.id],
    idle_timeout=60,
    drop_invalid_header_fields=True,
    enable_deletion_protection=False,
    access_logs={"bucket": bucket.bucket, "enabled": True, "prefix": "alb"},
    opts=options(),
)
targets = aws.lb.TargetGroup(
    "app",
    port=8000,
    protocol="HTTP",
    target_type="ip",
    vpc_id=vpc.id,
    deregistration_delay=10,
    health_check={"path": "/health", "interval": 30, "timeout": 5, "healthy_threshold": 2, "matcher": "200"},
    stickiness={"type": "lb_cookie", "cookie_duration": 60, "enabled": True},
    opts=options(),
)
listener = aws.lb.Listener(
    "http",
    load_balancer_arn=balancer.arn,
    port=80,
    protocol="HTTP",
    default_actions=[
        {"type": "fixed-response", "fixed_response": {"content_type": "text/plain", "status_code": "404"}}
    ],
    opts=options(),
)
aws.route53.Record(
    "site",
    zone_id="Z0123456789ABCDEFGHIJ",
    name="example.com",
    type="A",
    aliases=[{"name": balancer.dns_name, "zone_id": balancer.zone_id, "evaluate_target_health": False}],
    opts=options(),
)
https = aws.lb.Listener(
    "https",
    load_balancer_arn=balancer.arn,
    port=443,
    protocol="HTTPS",
    ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    certificate_arn=certificate.arn,
    default_actions=[
        {
            "type": "redirect",
            "redirect": {"protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"},
        }
    ],
    opts=options(),
)
aws.lb.ListenerCertificate("https", listener_arn=https.arn, certificate_arn=certificate.arn, opts=options())
forward = aws.lb.ListenerRule(
    "app",
    listener_arn=listener.arn,
    priority=10,
    conditions=[
        {"path_pattern": {"values": ["/app*"]}},
        {"host_header": {"values": ["app.example.com"]}},
        {"http_header": {"http_header_name": "X-Way", "values": ["in"]}},
        {"query_strings": [{"key": "a", "value": "b"}]},
    ],
    actions=[
        {
            "type": "forward",
            "forward": {
                "target_groups": [{"arn": targets.arn, "weight": 1}],
                "stickiness": {"enabled": False, "duration": 60},
            },
        }
    ],
    opts=options(),
)

# Containers
cluster = aws.ecs.Cluster(
    "main",
    settings=[{"name": "containerInsights", "value": "enhanced"}],
    configuration={
        "execute_command_configuration": {
            "logging": "OVERRIDE",
            "log_configuration": {"cloud_watch_log_group_name": logs.name, "cloud_watch_encryption_enabled": True},
        }
    },
    opts=options(),
)
instance_profile = aws.iam.InstanceProfile("machines", role=instance_role.name, opts=options())
template = aws.ec2.LaunchTemplate(
    "machines",
    description="machines",
    image_id="resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
    instance_type="m6i.large",
    iam_instance_profile={"arn": instance_profile.arn},
    vpc_security_group_ids=[group.id],
    metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
    block_device_mappings=[
        {
            "device_name": "/dev/xvda",
            "ebs": {
                "volume_type": "gp3",
                "volume_size": 30,
                "encrypted": "true",
                "delete_on_termination": "true",
            },
        }
    ],
    user_data="IyEvYmluL2Jhc2gK",
    update_default_version=True,
    tag_specifications=[{"resource_type": "volume", "tags": {"Project": "every-type"}}],
    opts=options(),
)
machines = aws.autoscaling.Group(
    "machines",
    min_size=1,
    max_size=2,
    vpc_zone_identifiers=[subnet.id for subnet in subnets],
    mixed_instances_policy={
        "launch_template": {
            "launch_template_specification": {
                "launch_template_id": template.id,
                "version": template.latest_version.apply(str),
            },
            "overrides": [{"instance_type": "m6i.large"}, {"instance_type": "m6a.large"}],
        },
        "instances_distribution": {
            "on_demand_base_capacity": 0,
            "on_demand_percentage_above_base_capacity": 50,
            "spot_allocation_strategy": "price-capacity-optimized",
        },
    },
    capacity_rebalance=True,
    protect_from_scale_in=True,
    instance_refresh={"strategy": "Rolling", "preferences": {"min_healthy_percentage": 100}},
    force_delete=True,
    tags=[{"key": "Project", "value": "every-type", "propagate_at_launch": True}],
    opts=options(),
)
aws.autoscaling.Schedule(
    "sleep",
    scheduled_action_name="sleep",
    autoscaling_group_name=machines.name,
    recurrence="15 20 * * 1,2,3,4,5",
    time_zone="Asia/Taipei",
    min_size=0,
    max_size=-1,
    desired_capacity=-1,
    opts=options(),
)
provided = aws.ecs.CapacityProvider(
    "machines",
    auto_scaling_group_provider={
        "auto_scaling_group_arn": machines.arn,
        "managed_scaling": {"status": "ENABLED", "target_capacity": 100, "instance_warmup_period": 120},
        "managed_draining": "ENABLED",
        "managed_termination_protection": "ENABLED",
    },
    opts=options(),
)
capacity = aws.ecs.ClusterCapacityProviders(
    "main",
    cluster_name=cluster.name,
    capacity_providers=["FARGATE", "FARGATE_SPOT"],
    default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
    opts=options(),
)
task = aws.ecs.TaskDefinition(
    "app",
    family="app",
    cpu="256",
    memory="512",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=role.arn,
    task_role_arn=role.arn,
    ephemeral_storage={"size_in_gib": 30},
    runtime_platform={"cpu_architecture": "ARM64", "operating_system_family": "LINUX"},
    volumes=[
        {"name": "scratch"},
        {
            "name": "files",
            "efs_volume_configuration": {
                "file_system_id": files.id,
                "root_directory": "/",
                "transit_encryption": "ENABLED",
                "authorization_config": {"access_point_id": access_point.id, "iam": "ENABLED"},
            },
        },
    ],
    container_definitions=pulumi.Output.json_dumps(
        [
            {
                "name": "app",
                "image": image.image_uri,
                "essential": True,
                "portMappings": [{"containerPort": 8000, "protocol": "tcp", "name": "http", "appProtocol": "http"}],
                "environment": [{"name": "TABLE", "value": table.name}],
                "secrets": [{"name": "TOKEN", "valueFrom": secret.arn}],
                "readonlyRootFilesystem": True,
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": logs.name}},
                "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 30, "startPeriod": 60},
            }
        ]
    ),
    opts=options(),
)

# Discovery
network_balancer = aws.lb.LoadBalancer(
    "connections",
    load_balancer_type="network",
    internal=True,
    subnets=[subnet.id for subnet in subnets],
    security_groups=[group.id],
    enable_cross_zone_load_balancing=True,
    opts=options(),
)
connections = aws.lb.TargetGroup(
    "connections",
    port=8000,
    protocol="TCP",
    target_type="ip",
    vpc_id=vpc.id,
    connection_termination=False,
    preserve_client_ip="false",
    proxy_protocol_v2=False,
    health_check={"protocol": "TCP", "interval": 30, "timeout": 10, "healthy_threshold": 2, "unhealthy_threshold": 2},
    opts=options(),
)
connecting = aws.lb.Listener(
    "connections",
    load_balancer_arn=network_balancer.arn,
    port=443,
    protocol="TLS",
    ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    certificate_arn=certificate.arn,
    alpn_policy="HTTP2Only",
    default_actions=[{"type": "forward", "target_group_arn": connections.arn}],
    opts=options(),
)
calls = aws.lb.TargetGroup(
    "calls",
    port=8000,
    protocol="HTTP",
    protocol_version="GRPC",
    target_type="ip",
    vpc_id=vpc.id,
    health_check={"path": "/grpc.health.v1.Health/Check", "matcher": "0"},
    opts=options(),
)
namespace = aws.servicediscovery.PrivateDnsNamespace("app", name="app.local", vpc=vpc.id, opts=options())
aws.servicediscovery.HttpNamespace("plain", name="plain", opts=options())
registry = aws.servicediscovery.Service(
    "app",
    name="app",
    dns_config={
        "namespace_id": namespace.id,
        "dns_records": [{"type": "A", "ttl": 10}],
        "routing_policy": "MULTIVALUE",
    },
    health_check_custom_config={"failure_threshold": 1},
    force_destroy=True,
    opts=options(),
)
lattice_targets = aws.vpclattice.TargetGroup(
    "app",
    type="IP",
    config={
        "port": 8000,
        "protocol": "HTTP",
        "protocol_version": "GRPC",
        "vpc_identifier": vpc.id,
        "ip_address_type": "IPV4",
    },
    opts=options(),
)
lattice_service = aws.vpclattice.Service("app", auth_type="AWS_IAM", opts=options())
aws.vpclattice.Listener(
    "app",
    service_identifier=lattice_service.id,
    protocol="HTTPS",
    port=443,
    default_action={"forwards": [{"target_groups": [{"target_group_identifier": lattice_targets.id, "weight": 100}]}]},
    opts=options(),
)
aws.vpclattice.AuthPolicy(
    "app",
    resource_identifier=lattice_service.arn,
    policy=json.dumps(allowing("vpc-lattice-svcs:Invoke", "ecs-tasks.amazonaws.com")),
    opts=options(),
)
lattice_network = aws.vpclattice.ServiceNetwork("app", auth_type="NONE", opts=options())
aws.vpclattice.ServiceNetworkVpcAssociation(
    "app",
    service_network_identifier=lattice_network.id,
    vpc_identifier=vpc.id,
    security_group_ids=[group.id],
    opts=options(),
)
aws.vpclattice.ServiceNetworkServiceAssociation(
    "app",
    service_network_identifier=lattice_network.id,
    service_identifier=lattice_service.id,
    opts=options(),
)
pulumi.export("lattice_name", lattice_service.dns_entries.apply(lambda entries: entries[0].domain_name))

service = aws.ecs.Service(
    "app",
    cluster=cluster.arn,
    task_definition=task.arn,
    desired_count=1,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
    network_configuration={
        "subnets": [subnet.id for subnet in subnets],
        "security_groups": [group.id],
        "assign_public_ip": False,
    },
    load_balancers=[
        {"target_group_arn": each.arn, "container_name": "app", "container_port": 8000}
        for each in (targets, connections)
    ],
    service_registries={"registry_arn": registry.arn},
    service_connect_configuration={
        "enabled": True,
        "namespace": namespace.arn,
        "log_configuration": {"log_driver": "awslogs", "options": {"awslogs-group": logs.name}},
        "services": [
            {
                "port_name": "http",
                "discovery_name": "app-connect",
                "client_alias": [{"dns_name": "app.app.local", "port": 8000}],
                "timeout": {"idle_timeout_seconds": 60, "per_request_timeout_seconds": 15},
            }
        ],
    },
    vpc_lattice_configurations=[{"port_name": "http", "role_arn": role.arn, "target_group_arn": lattice_targets.arn}],
    deployment_circuit_breaker={"enable": True, "rollback": True},
    deployment_maximum_percent=200,
    deployment_minimum_healthy_percent=50,
    enable_execute_command=True,
    enable_ecs_managed_tags=True,
    propagate_tags="SERVICE",
    health_check_grace_period_seconds=60,
    availability_zone_rebalancing="ENABLED",
    wait_for_steady_state=True,
    opts=options(forward, capacity, connecting),
)
scalable = aws.appautoscaling.Target(
    "app",
    min_capacity=1,
    max_capacity=4,
    resource_id=pulumi.Output.format("service/{0}/{1}", cluster.name, service.name),
    scalable_dimension="ecs:service:DesiredCount",
    service_namespace="ecs",
    opts=options(),
)
aws.appautoscaling.ScheduledAction(
    "sleep",
    resource_id=scalable.resource_id,
    scalable_dimension=scalable.scalable_dimension,
    service_namespace=scalable.service_namespace,
    schedule="cron(0 20 ? * MON,TUE,WED,THU,FRI *)",
    timezone="Asia/Taipei",
    scalable_target_action={"min_capacity": 0, "max_capacity": 0},
    opts=options(),
)
aws.appautoscaling.Policy(
    "app",
    policy_type="TargetTrackingScaling",
    resource_id=scalable.resource_id,
    scalable_dimension=scalable.scalable_dimension,
    service_namespace=scalable.service_namespace,
    target_tracking_scaling_policy_configuration={
        "predefined_metric_specification": {
            "predefined_metric_type": "ALBRequestCountPerTarget",
            "resource_label": pulumi.Output.format("{0}/{1}", balancer.arn_suffix, targets.arn_suffix),
        },
        "target_value": 1000,
        "scale_in_cooldown": 300,
    },
    opts=options(),
)

# Schedules and state machines
schedule_group = aws.scheduler.ScheduleGroup("nightly", opts=options())
machine = aws.sfn.StateMachine(
    "guard",
    type="STANDARD",
    role_arn=role.arn,
    definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
    logging_configuration={"level": "OFF"},
    tracing_configuration={"enabled": False},
    opts=options(),
)
aws.scheduler.Schedule(
    "guarded",
    group_name=schedule_group.name,
    schedule_expression="cron(0 18 * * ? *)",
    schedule_expression_timezone="Asia/Taipei",
    start_date="2100-01-01T00:00:00Z",
    end_date="2101-01-01T00:00:00Z",
    state="DISABLED",
    flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": 15},
    target={
        "arn": machine.arn,
        "role_arn": role.arn,
        "input": "{}",
        "dead_letter_config": {"arn": queue.arn},
        "retry_policy": {"maximum_retry_attempts": 5, "maximum_event_age_in_seconds": 600},
    },
    opts=options(),
)
aws.scheduler.Schedule(
    "direct",
    group_name=schedule_group.name,
    schedule_expression="rate(5 minutes)",
    flexible_time_window={"mode": "OFF"},
    target={
        "arn": cluster.arn,
        "role_arn": role.arn,
        "ecs_parameters": {
            "task_definition_arn": task.arn,
            "task_count": 1,
            "capacity_provider_strategies": [{"capacity_provider": "FARGATE", "weight": 1, "base": 0}],
            "network_configuration": {
                "subnets": [subnet.id for subnet in subnets],
                "security_groups": [group.id],
                "assign_public_ip": False,
            },
            "group": "schedule:direct",
            "propagate_tags": "TASK_DEFINITION",
            "enable_ecs_managed_tags": True,
            "enable_execute_command": False,
        },
    },
    opts=options(),
)

# Functions and their API
function = aws.lambda_.Function(
    "answer",
    role=function_role.arn,
    runtime="python3.12",
    handler="index.handler",
    code=pulumi.AssetArchive(
        {"index.py": pulumi.FileAsset("function/index.py"), "more": pulumi.FileArchive("function")}
    ),
    environment={"variables": {"TABLE": table.name}},
    memory_size=128,
    timeout=10,
    architectures=["arm64"],
    tracing_config={"mode": "Active"},
    logging_config={"log_format": "JSON", "log_group": logs.name},
    vpc_config={"subnet_ids": [subnet.id for subnet in subnets], "security_group_ids": [group.id]},
    dead_letter_config={"target_arn": queue.arn},
    reserved_concurrent_executions=5,
    opts=options(),
)
api = aws.apigateway.RestApi(
    "private",
    endpoint_configuration={"types": "PRIVATE", "vpc_endpoint_ids": [endpoint.id]},
    description="private",
    opts=options(),
)
policy = aws.apigateway.RestApiPolicy(
    "private", rest_api_id=api.id, policy=json.dumps(allowing("execute-api:Invoke", "*")), opts=options()
)
resource = aws.apigateway.Resource(
    "query", rest_api=api.id, parent_id=api.root_resource_id, path_part="query", opts=options()
)
method = aws.apigateway.Method(
    "query",
    rest_api=api.id,
    resource_id=resource.id,
    http_method="POST",
    authorization="NONE",
    request_parameters={"method.request.querystring.limit": False},
    opts=options(),
)
integration = aws.apigateway.Integration(
    "query",
    rest_api=api.id,
    resource_id=resource.id,
    http_method=method.http_method,
    type="AWS_PROXY",
    integration_http_method="POST",
    uri=function.invoke_arn,
    timeout_milliseconds=10000,
    opts=options(),
)
aws.lambda_.Permission(
    "query",
    action="lambda:InvokeFunction",
    function=function.name,
    principal="apigateway.amazonaws.com",
    source_arn=pulumi.Output.format("{0}/*/POST/query", api.execution_arn),
    opts=options(),
)
deployment = aws.apigateway.Deployment(
    "v1", rest_api=api.id, triggers={"redeployment": "1"}, opts=options(integration, policy)
)
gateway_account = aws.apigateway.Account("main", cloudwatch_role_arn=role.arn, opts=options())
stage = aws.apigateway.Stage(
    "v1",
    rest_api=api.id,
    deployment=deployment.id,
    stage_name="v1",
    access_log_settings={"destination_arn": logs.arn, "format": "$context.requestId"},
    xray_tracing_enabled=True,
    opts=options(gateway_account),
)
aws.apigateway.MethodSettings(
    "v1",
    rest_api=api.id,
    stage_name=stage.stage_name,
    method_path="*/*",
    settings={"metrics_enabled": True, "logging_level": "INFO", "throttling_rate_limit": 100},
    opts=options(),
)

link = aws.apigatewayv2.VpcLink(
    "public", security_group_ids=[group.id], subnet_ids=[subnet.id for subnet in subnets], opts=options()
)
public = aws.apigateway.RestApi(
    "public",
    endpoint_configuration={"types": "REGIONAL"},
    security_policy="SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
    endpoint_access_mode="STRICT",
    disable_execute_api_endpoint=False,
    opts=options(),
)
passed_on = aws.apigateway.Integration(
    "public",
    rest_api=public.id,
    resource_id=public.root_resource_id,
    http_method=aws.apigateway.Method(
        "public",
        rest_api=public.id,
        resource_id=public.root_resource_id,
        http_method="ANY",
        authorization="NONE",
        api_key_required=True,
        opts=options(),
    ).http_method,
    type="HTTP_PROXY",
    integration_http_method="ANY",
    connection_type="VPC_LINK",
    connection_id=link.id,
    integration_target=balancer.arn,
    uri=pulumi.Output.format("http://{0}/", balancer.dns_name),
    request_templates={"application/json": "$input.body"},
    passthrough_behavior="NEVER",
    opts=options(),
)
live = aws.apigateway.Stage(
    "live",
    rest_api=public.id,
    deployment=aws.apigateway.Deployment("live", rest_api=public.id, opts=options(passed_on)).id,
    stage_name="live",
    opts=options(),
)
plan = aws.apigateway.UsagePlan(
    "partners",
    api_stages=[{"api_id": public.id, "stage": live.stage_name}],
    throttle_settings={"rate_limit": 10, "burst_limit": 20},
    quota_settings={"limit": 1000, "period": "DAY"},
    opts=options(),
)
api_key = aws.apigateway.ApiKey("web", description="web", opts=options())
aws.apigateway.UsagePlanKey("web", key_id=api_key.id, key_type="API_KEY", usage_plan_id=plan.id, opts=options())
named = aws.apigateway.DomainName(
    "api.example.com",
    domain_name="api.example.com",
    regional_certificate_arn=certificate.arn,
    endpoint_configuration={"types": "REGIONAL"},
    security_policy="TLS_1_2",
    opts=options(),
)
aws.apigateway.BasePathMapping(
    "api.example.com", rest_api=public.id, stage_name=live.stage_name, domain_name=named.domain_name, opts=options()
)
aws.wafv2.WebAclAssociation(
    "live",
    resource_arn=live.arn,
    web_acl_arn="arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/a1b2c3d4-0000-4000-8000-000000000000",
    opts=options(),
)

# A database, and a password that nobody here knows
data_group = aws.rds.SubnetGroup("data", subnet_ids=[each.id for each in subnets], description="Data", opts=options())
parameters = aws.rds.ParameterGroup(
    "data",
    family="postgres17",
    parameters=[{"name": "rds.force_ssl", "value": "1", "apply_method": "immediate"}],
    opts=options(),
)
database = aws.rds.Instance(
    "data",
    identifier="data",
    engine="postgres",
    engine_version="17",
    allow_major_version_upgrade=False,
    auto_minor_version_upgrade=True,
    apply_immediately=False,
    instance_class="db.t4g.micro",
    storage_type="gp3",
    allocated_storage=20,
    max_allocated_storage=100,
    storage_encrypted=True,
    kms_key_id=key.arn,
    db_name="shop",
    port=5432,
    username="master",
    manage_master_user_password=True,
    master_user_secret_kms_key_id=key.arn,
    multi_az=True,
    db_subnet_group_name=data_group.name,
    vpc_security_group_ids=[group.id],
    publicly_accessible=False,
    parameter_group_name=parameters.name,
    ca_cert_identifier="rds-ca-rsa2048-g1",
    backup_retention_period=7,
    copy_tags_to_snapshot=True,
    delete_automated_backups=False,
    deletion_protection=True,
    skip_final_snapshot=False,
    final_snapshot_identifier="data-final",
    enabled_cloudwatch_logs_exports=["postgresql", "upgrade"],
    database_insights_mode="standard",
    performance_insights_enabled=True,
    performance_insights_retention_period=7,
    performance_insights_kms_key_id=key.arn,
    opts=options(),
)
generated = {"SecretStringTemplate": '{"username": "application"}', "GenerateStringKey": "password"}
template = {
    "Resources": {
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "data/application", "GenerateSecretString": generated},
        }
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Secret", "Id"]}}},
}
password = aws.cloudformation.Stack("data", template_body=json.dumps(template), on_failure="DELETE", opts=options())
pulumi.export("application_secret", password.outputs["Arn"])

pulumi.export("invoke_url", stage.invoke_url)
pulumi.export("dns_name", balancer.dns_name)
pulumi.export("image_uri", image.image_uri)
pulumi.export("prefix_list", gateway_endpoint.prefix_list_id)
