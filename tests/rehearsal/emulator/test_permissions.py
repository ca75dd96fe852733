"""What a call is held against: a task's definition, the roles it is given, a service's ARN, and a topic's key."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.emulator.test_corrections import ACCOUNT, ECS, REGION, TASK, role

if TYPE_CHECKING:
    from rehearsal.emulator import Emulator

CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop"
DEFINITIONS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition"
USE = ("kms:GenerateDataKey", "kms:Decrypt")


def allowed(aws: Emulator, *statements: dict[str, Any]) -> dict[str, Any]:
    """Return the credentials of a role with the *statements*."""
    arn = role(aws)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    if statements:
        aws.client("iam").put_role_policy(
            RoleName=arn.rpartition("/")[2], PolicyName="own", PolicyDocument=json.dumps(document)
        )
    return aws.assume(arn, service=ECS, source=TASK, session="caller")


def define(aws: Emulator) -> dict[str, Any]:
    aws.client("ecs").create_cluster(clusterName="shop")
    return aws.client("ecs").register_task_definition(
        family=f"job-{uuid.uuid4().hex[:8]}",
        taskRoleArn=role(aws),
        executionRoleArn=role(aws),
        containerDefinitions=[{"name": "job", "image": "job", "memory": 64}],
    )["taskDefinition"]


def run(aws: Emulator, own: dict[str, Any], definition: str, **named: Any) -> str:
    """Run a task; what it came to: ``ran``, or the action that was refused."""
    try:
        aws.client_as("ecs", own).run_task(cluster="shop", taskDefinition=definition, **named)
    except ClientError as error:
        return error.response["Error"]["Message"].partition("not authorized to perform: ")[2].split()[0]
    return "ran"


def runs(definition: dict[str, Any], cluster: str = CLUSTER) -> dict[str, Any]:
    condition = {"ArnEquals": {"ecs:cluster": cluster}}
    return {"Action": "ecs:RunTask", "Resource": f"{DEFINITIONS}/{definition['family']}:*", "Condition": condition}


def passes(definition: dict[str, Any], to: str = ECS) -> dict[str, Any]:
    roles = [definition["taskRoleArn"], definition["executionRoleArn"]]
    return {"Action": "iam:PassRole", "Resource": roles, "Condition": {"StringEquals": {"iam:PassedToService": to}}}


def test_run_task_is_held_against_the_definition_and_its_cluster(plain: Emulator, corrected: Emulator) -> None:
    """The policy that AWS wants would be refused here, and one that AWS refuses would pass."""
    definition = define(plain)
    assert run(plain, allowed(plain, runs(definition), passes(definition)), definition["family"]) == "ecs:RunTask"
    definition = define(corrected)
    assert run(corrected, allowed(corrected, runs(definition), passes(definition)), definition["family"]) == "ran"


@pytest.mark.parametrize("wrong", ["another cluster", "another definition"])
def test_a_task_is_run_of_that_definition_on_that_cluster_alone(corrected: Emulator, wrong: str) -> None:
    definition, other = define(corrected), define(corrected)
    may = runs(definition, f"{CLUSTER}-2") if wrong == "another cluster" else runs(other)
    assert run(corrected, allowed(corrected, may, passes(definition)), definition["family"]) == "ecs:RunTask"


def test_who_runs_a_task_passes_its_roles(plain: Emulator, corrected: Emulator) -> None:
    """A caller could take any role by running a task with it."""
    everything = {"Action": "ecs:RunTask", "Resource": "*"}
    assert run(plain, allowed(plain, everything), define(plain)["family"]) == "ran"

    definition, other = define(corrected), define(corrected)
    own = allowed(corrected, everything)
    assert run(corrected, own, definition["family"]) == "iam:PassRole"
    last = corrected.denials()[-1]
    assert (last.action, last.resource) == ("iam:PassRole", definition["taskRoleArn"])

    own = allowed(corrected, everything, passes(definition, to="lambda.amazonaws.com"))
    assert run(corrected, own, definition["family"]) == "iam:PassRole"

    own = allowed(corrected, everything, passes(definition))
    overrides = {"taskRoleArn": other["taskRoleArn"]}
    assert run(corrected, own, definition["family"], overrides=overrides) == "iam:PassRole"
    assert run(corrected, own, definition["family"]) == "ran"


def test_who_tags_a_task_as_it_starts_may_tag(plain: Emulator, corrected: Emulator) -> None:
    """With tags propagated AWS asks for it; a schedule without it would start nothing."""
    everything = {"Action": ["ecs:RunTask", "iam:PassRole"], "Resource": "*"}
    assert run(plain, allowed(plain, everything), define(plain)["family"], propagateTags="TASK_DEFINITION") == "ran"

    definition = define(corrected)["family"]
    own = allowed(corrected, everything)
    assert run(corrected, own, definition, propagateTags="TASK_DEFINITION") == "ecs:TagResource"
    assert run(corrected, own, definition) == "ran"
    tags = {
        "Action": "ecs:TagResource",
        "Resource": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/*",
        "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
    }
    own = allowed(corrected, everything, tags)
    assert run(corrected, own, definition, propagateTags="TASK_DEFINITION") == "ran"


def test_tasks_are_looked_at_and_stopped_by_their_own_arn(plain: Emulator, corrected: Emulator) -> None:
    may = {"Action": ["ecs:StopTask", "ecs:DescribeTasks"], "Resource": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/*"}

    def refused(aws: Emulator, cluster: str) -> set[str]:
        ecs, found = aws.client_as("ecs", allowed(aws, may)), set[str]()
        for call in (
            lambda: ecs.describe_tasks(cluster=cluster, tasks=["0123", "4567"]),
            lambda: ecs.stop_task(cluster=cluster, task="0123"),
        ):
            try:
                call()
            except ClientError as error:
                if error.response["Error"]["Code"] == "AccessDeniedException":
                    found.add(error.operation_name)
        return found

    define(plain)
    define(corrected)
    assert refused(plain, "shop") == {"DescribeTasks", "StopTask"}
    assert refused(corrected, "shop") == set()
    assert refused(corrected, "another") == {"DescribeTasks", "StopTask"}


def redeployed(aws: Emulator, allowed_on: str, **named: str) -> str:
    """Deploy the service ``web`` anew, where that is allowed on *allowed_on*; what it came to."""
    definition = define(aws)["taskDefinitionArn"]
    services = aws.client("ecs").describe_services(cluster="shop", services=["web"])["services"]
    if not services:
        aws.client("ecs").create_service(
            cluster="shop", serviceName="web", taskDefinition=definition, desiredCount=0, launchType="EC2"
        )
    ecs = aws.client_as("ecs", allowed(aws, {"Action": "ecs:UpdateService", "Resource": allowed_on}))
    try:
        ecs.update_service(**{"cluster": "shop", "service": "web"} | named, forceNewDeployment=True)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "deployed"


def test_a_service_is_deployed_anew_by_its_own_arn(plain: Emulator, corrected: Emulator) -> None:
    """A role that may change one service alone would be refused here, and one for the cluster would pass."""
    service = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/shop/web"
    assert redeployed(plain, service) == "AccessDeniedException"
    assert redeployed(plain, CLUSTER) == "deployed"
    assert redeployed(corrected, service) == "deployed"
    assert redeployed(corrected, service, cluster=CLUSTER, service=service) == "deployed"
    assert redeployed(corrected, CLUSTER) == "AccessDeniedException"
    assert redeployed(corrected, service.replace("/web", "/till")) == "AccessDeniedException"
    assert redeployed(corrected, service.replace("/shop/", "/farm/")) == "AccessDeniedException"
    assert (corrected.denials()[-1].action, corrected.denials()[-1].resource) == ("ecs:UpdateService", service)


def test_each_task_that_is_looked_at_is_asked_for(corrected: Emulator) -> None:
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop"
    ecs = corrected.client_as("ecs", allowed(corrected, {"Action": "ecs:DescribeTasks", "Resource": f"{arn}/0123"}))
    ecs.describe_tasks(cluster="shop", tasks=["0123"])
    with pytest.raises(ClientError, match="ecs:DescribeTasks"):
        ecs.describe_tasks(cluster="shop", tasks=["0123", "4567"])
    assert corrected.denials()[-1].resource == f"{arn}/4567"


def published(aws: Emulator, *may: dict[str, Any], key: str) -> str:
    topic = aws.client("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}", Attributes={"KmsMasterKeyId": key})
    own = allowed(aws, {"Action": "sns:Publish", "Resource": topic["TopicArn"]}, *may)
    try:
        aws.client_as("sns", own).publish(TopicArn=topic["TopicArn"], Message="hello")
    except ClientError as error:
        return error.response["Error"]["Message"].partition("not authorized to perform: ")[2].split()[0]
    return "published"


def test_a_topic_that_takes_messages_over_tls_alone_takes_them_here(plain: Emulator, corrected: Emulator) -> None:
    """Loopback has no TLS, so a topic that is closed as it should be would be closed to its own workload."""

    def said(aws: Emulator) -> str:
        topic = aws.client("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]
        plain_http = {"Bool": {"aws:SecureTransport": "false"}}
        refusing = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
        policy = {"Version": "2012-10-17", "Statement": [refusing | {"Condition": plain_http}]}
        aws.client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy)
        )
        sns = aws.client_as("sns", allowed(aws, {"Action": "sns:Publish", "Resource": topic}))
        try:
            return sns.publish(TopicArn=topic, Message="hello") and "published"
        except ClientError as error:
            return error.response["Error"]["Code"]

    assert said(plain) != "published"
    assert said(corrected) == "published"


def test_who_publishes_to_an_encrypted_topic_uses_its_key(plain: Emulator, corrected: Emulator) -> None:
    """A role without the key publishes here, and is refused on its first day in an account."""
    assert published(plain, key=plain.client("kms").create_key()["KeyMetadata"]["Arn"]) == "published"
    key = corrected.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert published(corrected, key=key) == "kms:GenerateDataKey"
    assert published(corrected, {"Action": USE[0], "Resource": key}, key=key) == "kms:Decrypt"
    assert published(corrected, {"Action": USE, "Resource": key}, key=key) == "published"
    assert published(corrected, key="alias/aws/sns") == "published"
