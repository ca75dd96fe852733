"""What an account tells those who may read it all but its secrets: logs, definitions, histories, messages, items."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.emulator import Emulator

_LISTS: Final = {
    "apigateway": ("get_rest_apis", "get_usage_plans"),
    "cloudformation": ("describe_stacks",),
    "cloudwatch": ("describe_alarms", "list_dashboards"),
    "ecr": ("describe_repositories",),
    "events": ("list_rules",),
    "iam": ("get_account_authorization_details",),
    "lambda": ("list_functions",),
    "rds": ("describe_db_instances", "describe_db_parameter_groups", "describe_events"),
    "secretsmanager": ("list_secrets",),
    "sns": ("list_topics", "list_subscriptions"),
    "ssm": ("describe_parameters",),
}
"""Service → what it lists without being asked for anything in particular."""


def told(emulator: Emulator) -> dict[str, str]:
    """Return place → what *emulator* tells there."""
    found: dict[str, str] = {}
    for service, operations in _LISTS.items():
        client = emulator.client(service)
        found |= {f"{service} {each}": _text(_all(client, each)) for each in operations}
    for tell in (_logs, _tasks, _histories, _templates, _queues, _tables, _buckets):
        found |= {place: _text(said) for place, said in tell(emulator)}
    return found


def _logs(emulator: Emulator) -> Iterator[tuple[str, Any]]:
    logs = emulator.client("logs")
    for group in _all(logs, "describe_log_groups")["logGroups"]:
        events = _all(logs, "filter_log_events", logGroupName=group["logGroupName"])["events"]
        yield f"log group {group['logGroupName']}", "\n".join(each["message"] for each in events)


def _tasks(emulator: Emulator) -> Iterator[tuple[str, Any]]:
    ecs = emulator.client("ecs")
    for arn in _all(ecs, "list_task_definitions")["taskDefinitionArns"]:
        yield f"definition {arn}", ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    for cluster in _all(ecs, "list_clusters")["clusterArns"]:
        for status in ("RUNNING", "STOPPED"):
            arns = _all(ecs, "list_tasks", cluster=cluster, desiredStatus=status)["taskArns"]
            if arns:
                yield f"{status} tasks of {cluster}", ecs.describe_tasks(cluster=cluster, tasks=arns[:100])
        for arn in _all(ecs, "list_services", cluster=cluster)["serviceArns"]:
            yield f"service {arn}", ecs.describe_services(cluster=cluster, services=[arn])["services"]


def _histories(emulator: Emulator) -> Iterator[tuple[str, Any]]:
    states = emulator.client("stepfunctions")
    for machine in _all(states, "list_state_machines")["stateMachines"]:
        for each in _all(states, "list_executions", stateMachineArn=machine["stateMachineArn"])["executions"]:
            arn = each["executionArn"]
            yield f"execution {arn}", states.describe_execution(executionArn=arn)
            yield f"history of {arn}", _all(states, "get_execution_history", executionArn=arn)["events"]


def _templates(emulator: Emulator) -> Iterator[tuple[str, Any]]:
    stacks = emulator.client("cloudformation")
    for each in _all(stacks, "describe_stacks")["Stacks"]:
        named = {"StackName": each["StackName"]}
        yield f"template of {each['StackName']}", stacks.get_template(**named)["TemplateBody"]
        yield f"events of {each['StackName']}", _all(stacks, "describe_stack_events", **named)["StackEvents"]


def _queues(emulator: Emulator) -> Iterator[tuple[str, Any]]:
    sqs = emulator.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", []):
        yield f"queue {url}", sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)


def _tables(emulator: Emulator) -> Iterator[tuple[str, Any]]:
    dynamodb = emulator.client("dynamodb")
    for name in _all(dynamodb, "list_tables")["TableNames"]:
        yield f"table {name}", _all(dynamodb, "scan", TableName=name)["Items"]


def _buckets(emulator: Emulator) -> Iterator[tuple[str, Any]]:
    s3 = emulator.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for each in _all(s3, "list_objects_v2", Bucket=bucket["Name"]).get("Contents", []):
            content = s3.get_object(Bucket=bucket["Name"], Key=each["Key"])["Body"].read()
            yield f"object {bucket['Name']}/{each['Key']}", content.decode(errors="replace")


def _all(client: Any, operation: str, **said: Any) -> dict[str, Any]:
    """Return the answer to *operation*, with all of its pages where it has any."""
    if client.can_paginate(operation):
        return client.get_paginator(operation).paginate(**said).build_full_result()
    return getattr(client, operation)(**said)


def _text(said: Any) -> str:
    return said if isinstance(said, str) else json.dumps(said, default=str)
