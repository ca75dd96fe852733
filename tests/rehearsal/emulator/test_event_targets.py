"""What tasks' ends and due times start, and who must admit it."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.firing import FiringError, fire
from tests.rehearsal.containers.conftest import ACCOUNT, REGION, Site

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEDULER = "scheduler.amazonaws.com"
GROUP = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"
EVENTS = {"Service": "events.amazonaws.com"}


def sh(script: str) -> dict[str, Any]:
    # An image of nobody's registry: a task of it starts without an execution role's rights.
    return {"image": "tiny-web", "command": ["sh", "-c", script]}


def name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def admitting(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def topic(site: Site, policy: str = "", key: str = "") -> tuple[str, str]:
    """Make a topic and a queue that it tells; the topic's ARN and the queue's URL."""
    sns, sqs = site.aws.client("sns"), site.aws.client("sqs")
    attributes = {"Policy": policy} if policy else {}
    arn = sns.create_topic(Name=name("topic"), Attributes=attributes | ({"KmsMasterKeyId": key} if key else {}))
    anybody = admitting({"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"})
    url = sqs.create_queue(QueueName=name("queue"), Attributes={"Policy": anybody})["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
    sns.subscribe(TopicArn=arn["TopicArn"], Protocol="sqs", Endpoint=queue)
    return arn["TopicArn"], url


def rule(site: Site, target: str, pattern: dict[str, Any], template: str = '"A run failed: <why>"') -> str:
    """Make a rule that tells *target* of the events of *pattern* by *template*; its ARN."""
    events, made = site.aws.client("events"), name("rule")
    arn: str = events.put_rule(Name=made, EventPattern=json.dumps(pattern))["RuleArn"]
    transformer = {"InputPathsMap": {"why": "$.detail.stoppedReason"}, "InputTemplate": template}
    events.put_targets(Rule=made, Targets=[{"Id": "1", "Arn": target, "InputTransformer": transformer}])
    return arn


def failures(family: str, **detail: Any) -> dict[str, Any]:
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "taskDefinitionArn": [{"prefix": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:"}],
            "containers": {"exitCode": [{"anything-but": 0}]},
            **detail,
        },
    }


def messages(site: Site, queue: str, wanted: int = 1, seconds: float = 5) -> list[str]:
    """Return what has come to *queue*, once there are *wanted*, or when time is up."""
    found: list[str] = []
    deadline = time.monotonic() + seconds
    while len(found) < wanted and time.monotonic() < deadline:
        answer = site.aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        found += [each["Body"] for each in answer.get("Messages", [])]
        time.sleep(0.02)
    return found


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        time.sleep(0.05)


def test_a_failed_run_reaches_the_topic_of_the_programs_own_rule(site: Site, bare: Site) -> None:
    """The alarm of a failed run would be proved by its pattern's text alone."""
    definition = bare.define(sh("exit 3"))
    arn, queue = topic(bare)
    rule(bare, arn, failures(definition["family"]))
    ran(bare, definition)
    assert messages(bare, queue, seconds=0.5) == []

    definition = site.define(sh("exit 3"))
    arn, queue = topic(site, admitting({"Principal": EVENTS, "Action": "sns:Publish", "Resource": "*"}))
    rule(site, arn, failures(definition["family"], lastStatus=["STOPPED"]))
    ran(site, definition)
    (message,) = messages(site, queue)
    assert json.loads(message)["Message"] == '"A run failed: Essential container in task exited"'


def ran(site: Site, definition: dict[str, Any]) -> None:
    task = site.aws.client("ecs").run_task(
        cluster=site.cluster,
        taskDefinition=definition["taskDefinitionArn"],
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )["tasks"][0]["taskArn"]
    assert site.task(task, until="STOPPED")["lastStatus"] == "STOPPED"


def test_a_message_may_tell_of_each_container(site: Site, bare: Site) -> None:
    """Which container failed, and with which code, is in a list of the event."""
    paths = {"names": "$.detail.containers[*].name", "first": "$.detail.containers[0].code", "none": "$.detail.no[0]"}
    said: list[str] = []
    for each in (bare, site):
        arn, queue = topic(each, admitting({"Principal": EVENTS, "Action": "sns:Publish", "Resource": "*"}))
        made = name("rule")
        events = each.aws.client("events")
        events.put_rule(Name=made, EventPattern=json.dumps({"source": [made]}))
        transformer = {"InputPathsMap": paths, "InputTemplate": '"<names>: <first> <none>."'}
        events.put_targets(Rule=made, Targets=[{"Id": "1", "Arn": arn, "InputTransformer": transformer}])
        detail = {"containers": [{"name": "web", "code": 3}, {"name": "log"}]}
        events.put_events(Entries=[{"Source": made, "DetailType": "ended", "Detail": json.dumps(detail)}])
        said.append(json.loads(messages(each, queue)[0])["Message"])
    assert said == ['":  ."', '"[web, log]: 3 ."']


@pytest.mark.parametrize(
    ("template", "heard"),
    [
        ('"it failed: <why>"', False),
        ('{"why": <why>}', False),
        ('{"what": "it failed", "event": <aws.events.event.json>}', True),
    ],
)
def test_a_message_that_quotes_an_event_into_broken_json_is_not_delivered(
    site: Site,
    bare: Site,
    template: str,
    heard: bool,  # noqa: FBT001 - a case of the test
) -> None:
    """EventBridge escapes nothing; an alarm that breaks at a quote would ring here alone."""
    for each in (bare, site):
        arn, queue = topic(each, admitting({"Principal": EVENTS, "Action": "sns:Publish", "Resource": "*"}))
        made = name("rule")
        events = each.aws.client("events")
        events.put_rule(Name=made, EventPattern=json.dumps({"source": [made]}))
        transformer = {"InputPathsMap": {"why": "$.detail.why"}, "InputTemplate": template}
        events.put_targets(Rule=made, Targets=[{"Id": "1", "Arn": arn, "InputTransformer": transformer}])
        events.put_events(
            Entries=[{"Source": made, "DetailType": "ended", "Detail": json.dumps({"why": 'exec: "pythn": no file'})}]
        )
        came = messages(each, queue, seconds=5 if each is bare or heard else 0.5)
        assert bool(came) is (each is bare or heard)
    refused = [each for each in site.aws.denials() if each.resource == arn]
    assert [each.action for each in refused] == ([] if heard else ["sns:Publish"])
    assert all("is no JSON" in each.reason for each in refused)


@pytest.mark.parametrize(
    ("containers", "absent"),
    [('[{"code": 0}, {}]', False), ("[{}, {}]", True), ("[]", True), ('[{"code": [{}]}, {}]', True)],
    ids=["one has it", "none has it", "no element", "no leaf"],
)
def test_a_field_of_a_list_is_missing_only_where_no_element_has_it(
    site: Site,
    bare: Site,
    containers: str,
    absent: bool,  # noqa: FBT001 - a case of the test
) -> None:
    """A rule that seems to match one container's missing code would be silent in the account."""
    event: dict[str, Any] = {
        "id": "1", "source": "s", "detail-type": "t", "account": ACCOUNT, "region": REGION,
        "time": "2030-01-01T00:00:00Z", "resources": [], "detail": {"task": {"containers": json.loads(containers)}},
    }  # fmt: skip
    pattern = {"detail": {"task": {"containers": {"code": [{"exists": False}]}}}}
    answers = [
        each.aws.client("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))[
            "Result"
        ]
        for each in (bare, site)
    ]
    assert answers == [True, absent]


def test_a_rule_that_does_not_ask_for_the_end_tells_it_twice(site: Site) -> None:
    """As in an account: the task is being taken down, and then it has stopped."""
    definition = site.define(sh("exit 3"))
    arn, queue = topic(site, admitting({"Principal": EVENTS, "Action": "sns:Publish", "Resource": "*"}))
    rule(site, arn, failures(definition["family"]))
    ran(site, definition)
    assert len(messages(site, queue, wanted=3, seconds=1)) == 2


def test_a_task_that_could_not_start_has_no_exit_code_and_says_so(site: Site) -> None:
    definition = site.define({"image": "no-such-folder", "command": ["true"]})
    arn, queue = topic(site, admitting({"Principal": EVENTS, "Action": "sns:Publish", "Resource": "*"}))
    pattern = failures(definition["family"], lastStatus=["STOPPED"], stopCode=["TaskFailedToStart"])
    del pattern["detail"]["containers"]
    rule(site, arn, pattern, '{"event": <aws.events.event.json>}')
    ran(site, definition)
    assert "no-such-folder" in messages(site, queue)[0]


def test_a_topic_that_does_not_admit_eventbridge_is_not_told(site: Site) -> None:
    """The alarm would be silent in the account, and nobody would learn why."""
    definition = site.define(sh("exit 3"))
    elsewhere = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/another"}}
    arn, queue = topic(
        site, admitting({"Principal": EVENTS, "Action": "sns:Publish", "Resource": "*", "Condition": elsewhere})
    )
    made = rule(site, arn, failures(definition["family"], lastStatus=["STOPPED"]))
    ran(site, definition)
    assert messages(site, queue, seconds=0.5) == []
    (denial,) = [each for each in site.aws.denials() if each.resource == arn]
    assert (denial.principal, denial.action) == ("events.amazonaws.com", "sns:Publish")
    assert made in denial.reason


@pytest.mark.parametrize(
    ("condition", "told"), [({}, 1), ({"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}, 0)]
)
def test_the_key_of_a_topic_must_admit_eventbridge_without_a_source(
    site: Site, condition: dict[str, Any], told: int
) -> None:
    """EventBridge names no source to KMS, so a key that asks for one swallows every alarm."""
    use = {"Principal": EVENTS, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*", **condition}
    key = site.aws.client("kms").create_key(Policy=admitting(use))["KeyMetadata"]["Arn"]
    definition = site.define(sh("exit 3"))
    arn, queue = topic(site, admitting({"Principal": EVENTS, "Action": "sns:Publish", "Resource": "*"}), key)
    rule(site, arn, failures(definition["family"], lastStatus=["STOPPED"]))
    ran(site, definition)
    assert len(messages(site, queue, seconds=5 if told else 0.5)) == told


def machine(site: Site) -> str:
    states = {"StartAt": "only", "States": {"only": {"Type": "Succeed"}}}
    role = site.role(service="states.amazonaws.com")
    made = site.aws.client("stepfunctions").create_state_machine(
        name=name("machine"), roleArn=role, definition=json.dumps(states)
    )
    return made["stateMachineArn"]


def schedule(site: Site, target: dict[str, Any], expression: str = "rate(1 days)") -> dict[str, Any]:
    """Make a schedule; as GetSchedule has it."""
    scheduler, made = site.aws.client("scheduler"), name("schedule")
    scheduler.create_schedule(
        Name=made, ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    return scheduler.get_schedule(Name=made)


def starter(site: Site, *allows: tuple[str, str], source: str = GROUP) -> str:
    """Make a role that the scheduler may assume for the schedules of the group *source*."""
    role = site.role(*allows, service=SCHEDULER)
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": SCHEDULER},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}},
    }
    site.aws.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    return role


def executions(site: Site, arn: str) -> list[dict[str, Any]]:
    return site.aws.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]


def test_a_schedule_that_is_due_fires_by_itself_under_its_role(site: Site, bare: Site) -> None:
    """The one real firing: all others are made at once, by the same code."""
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    arn = machine(site)
    allowed, refused = (starter(site, ("states:StartExecution", to)) for to in (arn, f"{arn}-other"))
    schedule(site, {"Arn": arn, "RoleArn": allowed, "Input": '{"job": "mine"}'}, soon)
    schedule(site, {"Arn": arn, "RoleArn": refused, "Input": '{"job": "refused"}'}, soon)
    until(lambda: bool(executions(site, arn)))
    until(lambda: any(each.role == refused.rpartition("/")[2] for each in site.aws.denials()))
    (execution,) = executions(site, arn)
    found = site.aws.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(found["input"]) == {"job": "mine"}


def test_a_schedule_fires_for_its_group_alone(site: Site) -> None:
    arn = machine(site)
    other = starter(site, ("states:StartExecution", arn), source=GROUP.replace("/default", "/other"))
    with pytest.raises(FiringError, match=r"role.*AccessDenied"):
        fire(site.aws, schedule(site, {"Arn": arn, "RoleArn": other}))


def test_what_a_schedule_may_not_start_goes_to_its_dead_letter_queue(site: Site) -> None:
    arn = machine(site)
    queue = site.aws.client("sqs").create_queue(QueueName=name("dead"))["QueueUrl"]
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rpartition('/')[2]}"
    target = {"Arn": arn, "Input": '{"job": 1}', "DeadLetterConfig": {"Arn": queue_arn}}
    with pytest.raises(FiringError, match="states:StartExecution"):
        fire(site.aws, schedule(site, target | {"RoleArn": starter(site, ("sqs:SendMessage", queue_arn))}))
    assert messages(site, queue) == ['{"job": 1}']
    with pytest.raises(FiringError, match=r"states:StartExecution.*and its dead-letter queue.*sqs:SendMessage"):
        fire(site.aws, schedule(site, target | {"RoleArn": starter(site)}))


@pytest.mark.parametrize("without", ["", "iam:PassRole", "ecs:RunTask"])
def test_a_schedule_runs_a_task_itself_where_its_role_may(site: Site, without: str) -> None:
    """A schedule whose runs may overlap starts no state machine."""
    definition = site.define(sh("exit $0") | {"command": ["false"]})
    usual = {
        "ecs:RunTask": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{definition['family']}:*",
        "iam:PassRole": definition["executionRoleArn"],
    }
    target = {
        "Arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{site.cluster}",
        "RoleArn": starter(site, *[pair for pair in usual.items() if pair[0] != without]),
        "Input": json.dumps({"containerOverrides": [{"name": "web", "command": ["true"]}]}),
        "EcsParameters": {
            "TaskDefinitionArn": definition["taskDefinitionArn"].rpartition(":")[0],
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "DISABLED"}},
        },
    }
    made = schedule(site, target)
    if without:
        with pytest.raises(FiringError, match=without):
            fire(site.aws, made)
    else:
        assert site.task(fire(site.aws, made), until="STOPPED")["containers"][0]["exitCode"] == 0
