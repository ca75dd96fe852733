"""A function has its own role and log, and no right beyond them that was not granted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest
from botocore.session import get_session

from components.account import Account
from components.base import Component
from components.errors import InvalidArgsError
from components.function import RUNTIMES, Function, FunctionArgs
from components.grants import Grant, document
from components.logs import Logs
from tests.components.recorder import Recorded, one, record

# The provider's own `lambda` module warns of one of its classes when it is loaded.
ACCOUNT = Account(id="123456789012", region="eu-west-1")
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/source"
QUERY = Grant(actions=["dynamodb:Query"], resources=[TABLE])
LOG = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": ["arn:aws:logs:eu-west-1:123456789012:log-group:/lambda/answers:*"],
}


class Shop(Component):
    """A workload around the function."""

    def __init__(self) -> None:
        super().__init__("shop", {}, None, gathers=True)
        self.register_outputs({})


@pytest.fixture
def code(tmp_path: Path) -> str:
    (tmp_path / "handler.py").write_text("def handle(event, context): ...\n")
    return str(tmp_path)


def _made(code: str, **more: Any) -> list[Recorded]:
    return record(lambda: Function("answers", FunctionArgs(account=ACCOUNT, code=code, **more), Shop().child()))


def test_it_runs_the_folder_and_logs_json_to_its_own_group(code: str) -> None:
    resources = _made(code, logs=Logs(retention_days=7))
    made = one(resources, "aws:lambda/function:Function").inputs
    assert (made["handler"], made["runtime"], made["memorySize"], made["timeout"]) == (
        "handler.handle", "python3.14", 256, 10,
    )  # fmt: skip
    assert made["architectures"] == ["x86_64"]
    assert made["loggingConfig"] == {"logFormat": "JSON", "logGroup": "/lambda/answers"}
    group = one(resources, ":LogGroup")
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == ("/lambda/answers", 7)
    assert group.parent == one(resources, "drydock:index:Shop").urn


def test_its_code_is_the_folders_files_without_what_python_compiled(code: str) -> None:
    """Whoever ran the code once, or a test did, would change the function."""
    folder = Path(code)
    for stray in ("handler.pyc", "__pycache__/handler.cpython-314.pyc", "parts/__pycache__/note.txt"):
        (folder / stray).parent.mkdir(parents=True, exist_ok=True)
        (folder / stray).write_bytes(b"compiled")
    (folder / "parts" / "one.json").write_text("{}")
    assets = one(_made(code), "aws:lambda/function:Function").inputs["code"]["assets"]
    assert {name: asset["path"] for name, asset in assets.items()} == {
        "handler.py": f"{code}/handler.py",
        "parts/one.json": f"{code}/parts/one.json",
    }


def test_its_role_may_write_its_own_log_and_do_what_was_granted(code: str) -> None:
    resources = _made(code, grants=[QUERY])
    assert json.loads(one(resources, ":RolePolicy").inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [LOG, {"Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": [TABLE]}],
    }


def test_without_grants_its_role_may_only_write_its_own_log(code: str) -> None:
    assert json.loads(one(_made(code), ":RolePolicy").inputs["policy"])["Statement"] == [LOG]


def test_its_role_admits_lambda_on_behalf_of_this_account_alone(code: str) -> None:
    assert json.loads(one(_made(code), ":Role").inputs["assumeRolePolicy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            }
        ],
    }


def test_tracing_adds_the_two_actions_of_x_ray(code: str) -> None:
    resources = _made(code, tracing=True)
    assert one(resources, "aws:lambda/function:Function").inputs["tracingConfig"] == {"mode": "Active"}
    assert json.loads(one(resources, ":RolePolicy").inputs["policy"])["Statement"] == [
        LOG,
        {
            "Effect": "Allow",
            "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
            "Resource": ["*"],
        },
    ]


def test_what_it_may_do_is_declared_before_anything_is_known(code: str) -> None:
    """At a first preview the rendered policy may be unknown: a policy pack reads this instead."""
    component = one(_made(code, grants=[QUERY]), "drydock:index:Shop").inputs
    assert json.loads(component["declared"])["policies"] == {
        "answers": [
            {"actions": LOG["Action"], "resources": LOG["Resource"]},
            {"actions": ["dynamodb:Query"], "resources": [TABLE]},
        ]
    }
    assert json.loads(component["declared"])["trusts"] == {
        "answers": {
            "service": "lambda.amazonaws.com",
            "conditions": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        }
    }


def test_only_what_is_given_is_sent(code: str) -> None:
    plain = one(_made(code), "aws:lambda/function:Function").inputs
    assert not {"environment", "reservedConcurrentExecutions", "tracingConfig", "vpcConfig"} & plain.keys()
    told = one(_made(code, environment={"TABLE": "source"}, reserved_concurrency=0), "aws:lambda/function:Function")
    assert told.inputs["environment"] == {"variables": {"TABLE": "source"}}
    assert told.inputs["reservedConcurrentExecutions"] == 0


def test_to_invoke_it_is_one_action_on_its_arn(code: str) -> None:
    def pinned(policy: str) -> None:
        assert json.loads(policy)["Statement"] == [
            {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": ["answers.arn"]}
        ]

    def build() -> object:
        function = Function("answers", FunctionArgs(account=ACCOUNT, code=code))
        return document([function.invoke()]).apply(pinned)  # type: ignore[union-attr]

    record(build)


def test_every_runtime_offered_is_one_of_lambdas() -> None:
    known = get_session().get_service_model("lambda").shape_for("Runtime").enum
    assert set(RUNTIMES) <= set(known) & {runtime.value for runtime in aws.lambda_.Runtime}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"memory": 64}, r"Function.memory: got 64; a whole number from 128 to 10240 MiB"),
        ({"memory": 10_241}, r"Function.memory: got 10241"),
        ({"timeout": 0}, r"Function.timeout: got 0; a whole number from 1 to 900 seconds"),
        ({"timeout": 901}, r"Function.timeout: got 901"),
        ({"reserved_concurrency": -1}, r"Function.reserved_concurrency: got -1"),
        ({"runtime": "python3.6"}, r"Function.runtime: got 'python3.6'; one of 'python3.14'"),
        ({"architecture": "ARM64"}, r"Function.architecture: got 'ARM64'; one of 'x86_64', 'arm64'"),
        ({"handler": "main.handle"}, r"Function.handler: got 'main.handle'; .*has no main.py"),
        ({"handler": "handle"}, r"Function.handler: got 'handle'; '<module>.<function>'"),
        ({"code": "/nowhere"}, r"Function.code: got '/nowhere'; an existing folder"),
        ({"environment": {"AWS_REGION": "x"}}, r"Function.environment: got 'AWS_REGION'"),
        ({"environment": {"1ST": "x"}}, r"Function.environment: got '1ST'"),
    ],
)
def test_what_lambda_would_refuse_is_refused(code: str, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        FunctionArgs(**({"account": ACCOUNT, "code": code} | wrong))


@pytest.mark.parametrize("name", ["a" * 57, "no.dots"])
def test_a_name_that_lambda_refuses_is_refused_before_anything_is_registered(code: str, name: str) -> None:
    with pytest.raises(InvalidArgsError, match="function name"):
        record(lambda: Function(name, FunctionArgs(account=ACCOUNT, code=code)))


def test_a_function_makes_four_resources(code: str) -> None:
    """Each registration costs milliseconds: a fifth must be worth it."""
    assert len([resource for resource in _made(code) if resource.custom]) == 4
