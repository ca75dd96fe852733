"""Each correction, by what happens without it and with it: where both agree, the emulator has learnt it."""

from __future__ import annotations

import http.client
import io
import json
import urllib.parse
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from rehearsal.emulator import Emulator

ACCOUNT = "123456789012"
REGION = "ap-southeast-1"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/0123456789abcdef"
ECS = "ecs-tasks.amazonaws.com"


def name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def role(aws: Emulator, *, service: str = ECS, conditions: dict[str, Any] | None = None, **allows: str) -> str:
    """Make a role that *service* may assume, with one statement for each action → resource of *allows*."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement | ({"Condition": conditions} if conditions else {})]}
    iam, made = aws.client("iam"), name("role")
    arn: str = iam.create_role(RoleName=made, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    for action, resource in allows.items():
        document = {"Effect": "Allow", "Action": action.replace("_", ":"), "Resource": resource}
        iam.put_role_policy(
            RoleName=made,
            PolicyName=action,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [document]}),
        )
    return arn


@pytest.mark.parametrize("key", ["test", ACCOUNT])
def test_root_cannot_be_guessed(plain: Emulator, corrected: Emulator, key: str) -> None:
    """A workload with the emulator's well-known keys would pass as root, whatever its role lacks."""
    guess = {"AccessKeyId": key, "SecretAccessKey": "guess"}
    plain.client_as("sqs", guess).list_queues()
    with pytest.raises(ClientError) as refused:
        corrected.client_as("sqs", guess).list_queues()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def assumed(aws: Emulator, arn: str, *, service: str = ECS, source: str = TASK) -> bool:
    try:
        aws.assume(arn, service=service, source=source, session="task")
    except ClientError as error:
        return error.response["Error"]["Code"] != "AccessDenied"
    return True


SOURCED = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"},
}


def test_a_trust_that_asks_for_the_source_admits_the_service(plain: Emulator, corrected: Emulator) -> None:
    """Without it, the trust that AWS recommends against the confused deputy could not be rehearsed."""
    assert not assumed(plain, role(plain, conditions=SOURCED))
    assert assumed(corrected, role(corrected, conditions=SOURCED))


@pytest.mark.parametrize(
    "wrong",
    [
        {"StringEquals": {"aws:SourceAccount": "999999999999"}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:*"}},
    ],
)
def test_a_trust_that_names_another_source_refuses_the_service(corrected: Emulator, wrong: dict[str, Any]) -> None:
    """The correction supplies the context; it must not wave the assumption through."""
    arn = role(corrected, conditions=wrong)
    assert not assumed(corrected, arn)
    last = corrected.denials()[-1]
    assert (last.principal, last.action, last.resource) == (ECS, "sts:AssumeRole", arn)


def test_a_trust_that_names_another_service_refuses(plain: Emulator, corrected: Emulator) -> None:
    """The emulator lets root through for any service principal, so a role meant for another would pass."""
    assert assumed(plain, role(plain, service="ec2.amazonaws.com"))
    assert not assumed(corrected, role(corrected, service="ec2.amazonaws.com"))


HANDLER = """
import os, boto3
def handler(event, context):
    if event.get("ask") == "who":
        return boto3.client("sts").get_caller_identity()["Arn"]
    if event.get("ask") == "queues":
        return boto3.client("sqs").list_queues()
    return {"statusCode": 200, "body": "answered"}
"""


def function(aws: Emulator, **trust: Any) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", HANDLER)
    made = aws.client("lambda").create_function(
        FunctionName=name("function"),
        Runtime="python3.12",
        Handler="app.handler",
        Role=role(aws, **({"service": "lambda.amazonaws.com"} | trust)),
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
    )
    return made["FunctionArn"]


def invoked(aws: Emulator, arn: str, **event: str) -> dict[str, Any]:
    answer = aws.client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event))
    return {"error": answer.get("FunctionError"), "payload": json.loads(answer["Payload"].read())}


def test_a_function_runs_as_its_role_and_reaches_the_emulator(corrected: Emulator) -> None:
    """No correction: the emulator has this right, and the rehearsal of every function stands on it."""
    arn = function(corrected, conditions={"StringEquals": {"aws:SourceAccount": ACCOUNT}})
    assert ":assumed-role/role-" in invoked(corrected, arn, ask="who")["payload"]
    refused = invoked(corrected, arn, ask="queues")
    assert refused["error"]
    assert "AccessDenied" in refused["payload"]["errorType"] + refused["payload"]["errorMessage"]
    assert corrected.denials()[-1].action == "sqs:ListQueues"


def test_a_function_whose_role_does_not_trust_lambda_does_not_run(plain: Emulator, corrected: Emulator) -> None:
    """AWS refuses such a function; the emulator would hand it the role's credentials."""
    assert invoked(plain, function(plain, service=ECS))["error"] is None
    arn = function(corrected, service=ECS)
    assert invoked(corrected, arn)["error"]
    assert corrected.denials()[-1].principal == "lambda.amazonaws.com"


def private_api(aws: Emulator, *, admits: str = "", permitted: bool = True, endpoint: bool = True) -> str:
    """Make a private API with POST /query/user → a function; *admits* is the VPC of its policy. Return its URL."""
    ec2, api = aws.client("ec2"), aws.client("apigateway")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    endpoints = []
    if endpoint:
        service = f"com.amazonaws.{REGION}.execute-api"
        made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, VpcEndpointType="Interface")
        endpoints = [made["VpcEndpoint"]["VpcEndpointId"]]
    condition = {"StringEquals": {"aws:SourceVpc": admits or vpc}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    made = api.create_rest_api(
        name=name("api"),
        endpointConfiguration={"types": ["PRIVATE"], "vpcEndpointIds": endpoints},
        policy=json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Condition": condition}]}),
    )
    made_id = made["id"]
    parent = made["rootResourceId"]
    for part in ("query", "user"):
        parent = api.create_resource(restApiId=made_id, parentId=parent, pathPart=part)["id"]
    target = function(aws)
    api.put_method(restApiId=made_id, resourceId=parent, httpMethod="POST", authorizationType="NONE")
    api.put_integration(
        restApiId=made_id,
        resourceId=parent,
        httpMethod="POST",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{target}/invocations",
    )
    if permitted:
        aws.client("lambda").add_permission(
            FunctionName=target,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{made_id}/*/POST/query/user",
        )
    api.create_deployment(restApiId=made_id, stageName="v1")
    return f"{aws.endpoint}/restapis/{made_id}/v1/_user_request_/query/user"


def status(url: str) -> int:
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.netloc, timeout=20)
    connection.request("POST", where.path, body="{}")
    answered = connection.getresponse().status
    connection.close()
    return answered


def test_a_private_api_sees_the_vpc_that_it_is_called_from(plain: Emulator, corrected: Emulator) -> None:
    """A resource policy that admits the VPC alone is what makes the API private."""
    assert status(private_api(plain)) == 403
    assert status(private_api(corrected)) == 200


def test_a_private_api_refuses_a_call_from_another_vpc(corrected: Emulator) -> None:
    """The correction says where the call comes from; the policy still decides."""
    assert status(private_api(corrected, admits="vpc-0123456789abcdef0")) == 403
    last = corrected.denials()[-1]
    assert (last.principal, last.action) == ("anonymous", "execute-api:Invoke")


def test_a_private_api_without_an_endpoint_admits_nobody(corrected: Emulator) -> None:
    """It has no address in any VPC, whatever its policy says."""
    ec2 = corrected.client("ec2")
    for left in ec2.describe_vpc_endpoints()["VpcEndpoints"]:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[left["VpcEndpointId"]])
    assert status(private_api(corrected, endpoint=False)) == 403


def test_a_function_behind_an_api_asks_for_its_permission(plain: Emulator, corrected: Emulator) -> None:
    """The forgotten lambda.Permission is the commonest fault of a REST API, and AWS's answer says nothing of it."""
    public_wrong = private_api(corrected, permitted=False)
    assert status(public_wrong) == 500
    assert corrected.denials()[-1].principal == "apigateway.amazonaws.com"
    assert corrected.denials()[-1].action == "lambda:InvokeFunction"
    # The plain emulator cannot be asked through a private API, so through a call that no policy guards.
    plain_url = private_api(plain, permitted=False)
    plain.client("apigateway").update_rest_api(
        restApiId=plain_url.split("/restapis/")[1].split("/")[0],
        patchOperations=[{"op": "replace", "path": "/policy", "value": ""}],
    )
    assert status(plain_url) == 200


def put_log(aws: Emulator, suffix: str) -> bool:
    """Whether a role granted ``log-group:NAME`` + *suffix* can write a line to it."""
    group, logs = name("/ecs/group"), aws.client("logs")
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}{suffix}"
    allowed = role(aws, logs_CreateLogStream=arn, logs_PutLogEvents=arn)
    own = aws.client_as("logs", aws.assume(allowed, service=ECS, source=TASK, session="task"))
    try:
        own.create_log_stream(logGroupName=group, logStreamName="ecs/web/1")
        own.put_log_events(
            logGroupName=group,
            logStreamName="ecs/web/1",
            logEvents=[{"timestamp": 1_800_000_000_000, "message": "line"}],
        )
    except ClientError as error:
        return error.response["Error"]["Code"] != "AccessDeniedException"
    return True


def test_a_log_group_is_granted_with_its_suffix_and_not_without(plain: Emulator, corrected: Emulator) -> None:
    """The emulator has it the wrong way round, so that the policy that works in AWS fails, and the other passes."""
    assert (put_log(plain, ":*"), put_log(plain, "")) == (False, True)
    assert (put_log(corrected, ":*"), put_log(corrected, "")) == (True, False)
    last = corrected.denials()[-1]
    assert last.action == "logs:CreateLogStream"
    assert last.resource.endswith(":log-stream:ecs/web/1")


def test_a_parameter_is_granted_by_its_arn(plain: Emulator, corrected: Emulator) -> None:
    """The emulator matches GetParameters on `*` alone, so the role that ECS reads a secret with would need it all."""

    def read(aws: Emulator, granted: str) -> bool:
        aws.client("ssm").put_parameter(Name="/web/token", Value="hidden", Type="String", Overwrite=True)
        own = role(aws, ssm_GetParameters=f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{granted}")
        ssm = aws.client_as("ssm", aws.assume(own, service=ECS, source=TASK, session="task"))
        try:
            ssm.get_parameters(Names=["/web/token"])
        except ClientError as error:
            return error.response["Error"]["Code"] != "AccessDeniedException"
        return True

    assert not read(plain, "/web/token")
    assert read(corrected, "/web/token")
    assert not read(corrected, "/web/other")


def test_a_load_balancer_answers_on_every_path(plain: Emulator, corrected: Emulator) -> None:
    """The emulator keeps /health to itself on every host, so a dead workload's /health would answer 200."""

    def answered(aws: Emulator) -> int:
        ec2, elb = aws.client("ec2"), aws.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        balancer = elb.create_load_balancer(Name=name("lb"), Subnets=[subnet])["LoadBalancers"][0]
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}],
        )
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(aws.endpoint).netloc, timeout=20)
        connection.request("GET", "/health", headers={"Host": balancer["DNSName"]})
        status = connection.getresponse().status
        connection.close()
        return status

    assert (answered(plain), answered(corrected)) == (200, 418)
