"""What a rehearsal cannot show: printed with every result, so that nobody takes it for proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rehearsal import network_balancers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rehearsal.graph import Registered
    from rehearsal.tree import Tree

NOT_ASKED: Final = (
    "whether whoever deploys may (the emulator is used as the account's root), iam:PassRole among it",
    "the permissions boundary of a role that mounts a file system, or by which a state machine manages its rule",
    "service quotas, prices, and what a region does not have",
    "TLS itself: an HTTPS listener is spoken to in plain HTTP, and who may hold its certificate is not asked",
    "real firing of alarms, scaling and lifecycle rules",
    "the times at which schedules fire, in their time zones and windows, and their retries",
    "the role of a state machine that calls other services than DynamoDB, ECS, SNS and SQS, and its own time limit",
)
"""What the emulator does not do, or does not ask."""

CORRECTED: Final = {
    "_know_root_by_its_key": "who is the account's root",
    "record_refusals": "which refusals are recorded",
    "_let_services_assume_roles": "aws:SourceArn and aws:SourceAccount in a role's trust",
    "_let_functions_assume_their_role": "the trust of a function's role",
    "_show_private_apis_their_endpoint": "aws:SourceVpc and aws:SourceVpce for a private API",
    "_ask_functions_for_permission": "a function's permission for API Gateway",
    "_name_log_streams": "the ARN that log actions are held against",
    "name_parameters": "the ARN that ssm:GetParameters is held against",
    "_leave_balancers_their_paths": "which requests are a load balancer's",
    "keep_integration_targets": "what an API's integration says of its VPC link",
    "pass_on_through_the_link": "how an API passes requests on through a VPC link: their path, headers, size and time",
    "answer_where_it_listens": "the ports on which a load balancer answers",
    "probe_targets": "the health of a load balancer's targets",
    "take_loopback_for_tls": "aws:SecureTransport, which is always true here",
    "hold_tasks_to_their_definition": "what ECS actions on tasks, iam:PassRole and a topic's key are held against",
    "hold_services_to_their_arn": "the ARN that ecs:UpdateService is held against",
    "close_to_a_disabled_key": "API keys that are disabled",
    "start_under_the_targets_role": "the role under which an event's rule starts a state machine",
    "generate_as_asked": "which characters a secret's made-up value has",
    "tell_of_rotations": "the event of a rotated secret",
    "tell_of_tasks": "ECS Task State Change events",
    "keep_exit_codes": "the exit codes of a task that is stopped",
    "route_to_the_healthy": "which targets a load balancer sends requests to",
    "drain_before_stopping": "what becomes of the requests of a task that a service stops",
    "complete_when_healthy": "when a service's deployment is completed, and which tasks it replaces",
    "fail_at_an_alarm": "deployments that an alarm fails",
    "tell_of_deployments": "what ECS says of a service's deployments",
    "place_on_instances": "container instances: that a task on EC2 waits for one, with its host ports free",
    "lead_to_host_ports": "the host ports of tasks on EC2 behind a load balancer",
    "share_the_hosts_network": "the start of a task in host mode",
    "leave_servers_to_others": "whose server stands behind a database",
    "act_under_the_role": "the calls of a state machine under its role, and the end of ecs:runTask.sync",
    "ask_for_the_managed_rule": "the rule that a state machine must be allowed to manage",
    "ask_targets_of_events": "who admits EventBridge: topics with their keys, queues, functions",
    "read_lists_in_events": "lists in an input transformer, and what it makes that is no JSON",
    "miss_a_field_in_no_element": "exists: false below a list of an event",
    "fire_under_the_role": "the role of a schedule, its ECS targets and its dead-letter queue",
    "register_tasks": "the registration of a service's tasks in Cloud Map, and their health there",
    "find_the_healthy": "which instances DiscoverInstances answers with by default",
    "name_what_is_discovered": "the ARNs that servicediscovery:DiscoverInstances is held against",
}
"""A correction of the emulator, by its function → where it thus follows our own reading of AWS's documentation."""


def used(tree: Tree) -> list[str]:
    """Return what the program of *tree* uses and the emulator does not do."""
    services = tree.of("aws:ecs/service:Service")
    connected = [each for each in services if each.inputs.get("serviceConnectConfiguration", {}).get("enabled")]
    balancers = [each for each, _ in network_balancers.declared(tree)]
    lattice = tree.of("aws:vpclattice/service:Service")
    shifting = [
        each
        for each in services
        if each.inputs.get("deploymentConfiguration", {}).get("strategy", "ROLLING") != "ROLLING"
    ]
    newer = [
        each
        for each in tree.of("aws:lb/targetGroup:TargetGroup")
        if each.inputs.get("protocolVersion", "HTTP1") in ("GRPC", "HTTP2")
    ]
    records = tree.of("aws:route53/record:Record")
    databases = tree.of("aws:rds/instance:Instance")
    links, judged = (
        tree.of("aws:apigatewayv2/vpcLink:VpcLink"),
        tree.of("aws:wafv2/webAclAssociation:WebAclAssociation"),
    )
    logged = [each for each in tree.of("aws:apigateway/stage:Stage") if each.inputs.get("accessLogSettings")]
    told = [
        ("hosted zones: each is an empty one made here, of any name, and nobody delegates to it ({})", records),
        ("Service Connect: no task has its proxy, and the names that it answers lead nowhere ({})", connected),
        ("blue/green, linear and canary deployments: a new version is rolled out instead ({})", shifting),
        ("VPC links: none is made, and their security groups neither open nor close a way ({})", links),
        ("access logs of API Gateway: none is written ({})", logged),
        ("web ACLs: no request is judged by one ({})", judged),
        ("RDS's own doings: standbys, backups, upgrades, keys and the rotation of passwords ({})", databases),
        ("VPC Lattice: its names lead nowhere ({})", lattice),
        ("gRPC and HTTP/2 through an application load balancer: it speaks HTTP/1.1 alone ({})", newer),
        ("of a network load balancer: how it spreads connections, here in turn, and idle timeouts ({})", balancers),
    ]
    return [said.format(_names(each)) for said, each in told if each] + [
        f"listener {name!r} of a network load balancer: {why}" for name, why in network_balancers.not_open(tree)
    ]


def _names(resources: Iterable[Registered]) -> str:
    return ", ".join(sorted(each.name for each in resources))
