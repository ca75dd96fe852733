"""The command that approves asks ECS for what only it knows, and says what the API takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import botocore
import botocore.session
import pytest

from components import approval
from tests.components.recorder import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Stands for the AWS CLI: writes down what it is asked, and answers as ECS would, through the same `--query`.
AWS = """#!{python}
import json, os, sys
import jmespath
ANSWERS = {{
    "list-service-deployments": {{"serviceDeployments": [{{"serviceDeploymentArn": "arn:7"}}]}},
    "describe-service-deployments": {{"serviceDeployments": [{{"lifecycleHookDetails": [
        {{"hookId": "over", "status": "SUCCEEDED"}}, {{"hookId": "ecs-pause-8", "status": "AWAITING_ACTION"}}]}}]}},
    "continue-service-deployment": {{}},
}}
with open(os.environ["ASKED"], "a") as asked:
    asked.write(json.dumps(sys.argv[2:]) + "\\n")
options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
if "--query" in options:
    print(jmespath.search(options["--query"], ANSWERS[sys.argv[2]]))
"""


@pytest.fixture
def asked(tmp_path: Path) -> Mapping[str, dict[str, str]]:
    """Run the command in a shell; return what the AWS CLI is asked, by the operation."""
    said: list[str] = []
    record(lambda: approval.command(region="eu-west-1", cluster="dev", service="web").apply(said.append))
    (tmp_path / "aws").write_text(AWS.format(python=sys.executable))
    (tmp_path / "aws").chmod(0o755)
    subprocess.run(  # noqa: S603 - the command under test
        ["/bin/sh", "-c", said[0]],
        check=True,
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "ASKED": str(tmp_path / "asked")},
    )
    lines = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]
    return {what: dict(zip(options[::2], options[1::2], strict=True)) for what, *options in lines}


def test_it_approves_the_pause_that_waits_of_the_deployment_that_goes_on(
    asked: Mapping[str, dict[str, str]],
) -> None:
    """Both have names that ECS gives anew each time; one that is over would be refused."""
    assert asked["list-service-deployments"]["--status"] == "IN_PROGRESS"
    assert asked["describe-service-deployments"]["--service-deployment-arns"] == "arn:7"
    told = asked["continue-service-deployment"]
    assert told["--service-deployment-arn"] == "arn:7"
    assert told["--hook-id"] == "ecs-pause-8"
    assert told["--action"] == "CONTINUE"


def test_it_says_what_the_api_takes(asked: Mapping[str, dict[str, str]]) -> None:
    """The CLI has an option for each member of an operation's input, and no other."""
    model = cast("Any", botocore.session).get_session().get_service_model("ecs")
    xform = cast("Any", botocore).xform_name
    operations = {xform(name, "-"): model.operation_model(name) for name in model.operation_names}
    for what, options in asked.items():
        members = {f"--{xform(member, '-')}" for member in operations[what].input_shape.members}
        assert options.keys() <= members | {"--region", "--query", "--output"}, what
        assert options["--region"] == "eu-west-1"
