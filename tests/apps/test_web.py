"""The plainest workload is a few lines, and right in prod."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from apps._web import WebSettings, WebWorkload
from components.grants import Grant
from tests.apps.stacks import IMAGE, platform, provider, stack
from tests.components.recorder import Recorded, of_type, one, record
from tests.whole import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from apps._workload import Outputs
    from tests.whole import Whole

OURS = ("apps", "components", "deployments", "settings", "outputs")
_SUFFIX = re.compile(r"-[0-9a-f]{7}\b")

HELLO = '''"""Hello: greets whoever asks."""

from __future__ import annotations

from apps._web import WebWorkload
from apps._workload import Outputs


class Hello(WebWorkload):
    """A greeting on port 8080."""

    def deploy(self) -> Outputs:
        """Serve it."""
        return self.serve(image=self.image(), port=8080)
'''


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Whole, Whole]:
    """Preview prod in a copy of the project: as it is, and with one more folder and one more section."""
    project = tmp_path_factory.mktemp("project")
    for name in OURS[:4]:
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py", ROOT / "outputs.py"):
        shutil.copy(path, project)
    # The copy's program is to import the copy's modules. What else it loads stays: pulumi_aws looks itself up there.
    ours = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in OURS}
    try:
        without = run(project, "prod", preview=True)
        _add_hello(project)
        return without, run(project, "prod", preview=True)
    finally:
        sys.modules.update(ours)


@pytest.fixture
def with_hello(both: tuple[Whole, Whole]) -> Whole:
    return both[1]


def _add_hello(project: Path) -> None:
    before = _files(project)
    (project / "apps" / "hello").mkdir()
    (project / "apps" / "hello" / "__init__.py").write_text(HELLO)
    file = yaml.safe_load((project / "Pulumi.prod.yaml").read_text())
    file["config"]["drydock:workloads"]["hello"] = {"image": IMAGE}
    (project / "Pulumi.prod.yaml").write_text(yaml.safe_dump(file))
    changed = {path for path, content in _files(project).items() if before.get(path) != content}
    assert changed == {"apps/hello/__init__.py", "Pulumi.prod.yaml"}


def test_it_is_at_most_six_lines_beyond_its_imports() -> None:
    """Each line more is one that every team copies."""
    tree = ast.parse(HELLO)
    imported = {line for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for line in _lines(node)}
    written = [line for number, line in enumerate(HELLO.splitlines(), 1) if line.strip() and number not in imported]
    assert len(written) <= 6, written


def test_one_folder_and_one_section_make_it(with_hello: Whole) -> None:
    """Service, rule, target group and alarms; and its outputs are in the contract."""
    for token in ("ecs/service:Service", ":ListenerRule", ":TargetGroup", ":TaskDefinition"):
        assert with_hello.one(token, "hello")
    assert {"hello-cpu", "hello-memory"} <= with_hello.of(":MetricAlarm").keys()
    assert with_hello.outputs["workloads"]["hello"].keys() == {"url", "service_name", "log_group_name"}


def test_nothing_else_changes_by_it(both: tuple[Whole, Whole]) -> None:
    """A neighbour's rule that moved would be a neighbour's incident."""
    before, after = ({each.urn: each for each in whole.graph} for whole in both)
    assert {urn.partition("::drydock::")[2].partition("$")[0] for urn in after.keys() - before.keys()} == {
        "drydock:index:Hello",
        "drydock:index:Hello::hello",
    }
    assert before.keys() <= after.keys()
    for urn, was in before.items():
        if was.custom:
            assert _said(after[urn].inputs) == _said(was.inputs), urn


def test_its_defaults_are_right_in_prod(with_hello: Whole) -> None:
    """Two tasks in private subnets, rolled back when they fail, on a root that nobody can write to."""
    service = with_hello.one("ecs/service:Service", "hello").inputs
    assert service["desiredCount"] == 2
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (100, 200)
    assert service["networkConfiguration"]["assignPublicIp"] is False
    assert service["enableExecuteCommand"] is False
    assert service["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    (container,) = json.loads(with_hello.one(":TaskDefinition", "hello").inputs["containerDefinitions"])
    assert container["readonlyRootFilesystem"] is True
    assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert container["image"] == f"{IMAGE['repository']}@{IMAGE['digest']}"
    assert with_hello.one(":LogGroup", "hello").inputs["retentionInDays"] == 30
    assert with_hello.one(":TargetGroup", "hello").inputs["healthCheck"]["path"] == "/health"


def test_its_requests_are_those_under_its_name(with_hello: Whole) -> None:
    """Until it says otherwise, so that no two workloads meet."""
    (condition,) = with_hello.one(":ListenerRule", "hello").inputs["conditions"]
    assert condition == {"pathPattern": {"values": ["/hello", "/hello/*"]}}


def test_its_task_may_do_nothing_in_aws(with_hello: Whole) -> None:
    """Rights are given one by one, by what they are to."""
    declared = json.loads(with_hello.one("index:Task", "hello").inputs["declared"])["policies"]
    assert "hello-task" not in declared
    assert [grant["actions"] for grant in declared["hello-execution"]] == [
        ["ecr:GetAuthorizationToken"],
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        ["logs:CreateLogStream", "logs:PutLogEvents"],
    ]


def served(settings: Mapping[str, Any] | None = None, **said: Any) -> list[Recorded]:
    """Return what a workload registers that serves with arguments *said*, on a stack with both load balancers."""

    class Hello(WebWorkload):
        """Serves as a test wants it."""

        def deploy(self) -> Outputs:
            """Serve."""
            return self.serve(**{"image": self.image(), "port": 8080, **said})

    def build() -> None:
        opts = provider()
        on = platform(
            opts,
            internal_load_balancer={"access_log_days": None},
            public_load_balancer={"access_log_days": None},
            cluster={"exec_audit": True},
        )
        section = WebSettings.model_validate_json(json.dumps({"image": IMAGE, **(settings or {})}))
        Hello("hello", on, section, opts).deploy()

    return record(build)


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        (
            {"path": "/"},
            lambda made: one(made, ":ListenerRule").inputs["conditions"][0]["pathPattern"]["values"] == ["/"],
        ),
        ({"health_path": "/well"}, lambda made: one(made, ":TargetGroup").inputs["healthCheck"]["path"] == "/well"),
        ({"environment": {"A": "b"}}, lambda made: container(made)["environment"] == [{"name": "A", "value": "b"}]),
        (
            {"grants": [Grant(actions=["s3:GetObject"], resources=["arn:aws:s3:::a/*"])]},
            lambda made: "s3:GetObject" in one(made, ":RolePolicy", "hello-task").inputs["policy"],
        ),
    ],
    ids=["path", "health path", "environment", "grants"],
)
def test_what_a_workload_says_is_done(said: Mapping[str, Any], holds: Callable[[list[Recorded]], bool]) -> None:
    assert holds(served(**said))


@pytest.mark.parametrize(
    ("section", "holds"),
    [
        ({"size": {"cpu": 512, "memory": 1024}}, lambda made: one(made, ":TaskDefinition").inputs["memory"] == "1024"),
        ({"desired_count": 5}, lambda made: one(made, "ecs/service:Service").inputs["desiredCount"] == 5),
        (
            {"scaling": {"minimum": 3, "maximum": 9}},
            lambda made: one(made, "appautoscaling/target:Target").inputs["maxCapacity"] == 9,
        ),
        (
            {"rollout": {"minimum_healthy_percent": 0}},
            lambda made: one(made, "ecs/service:Service").inputs["deploymentMinimumHealthyPercent"] == 0,
        ),
        (
            {"capacity": [{"provider": "FARGATE_SPOT"}]},
            lambda made: (
                one(made, "ecs/service:Service").inputs["capacityProviderStrategies"][0]["capacityProvider"]
                == "FARGATE_SPOT"
            ),
        ),
        (
            {"deployment": "canary"},
            lambda made: one(made, "ecs/service:Service").inputs["deploymentConfiguration"]["strategy"] == "CANARY",
        ),
        (
            {"load_balancer": "public"},
            lambda made: one(made, ":ListenerRule").inputs["listenerArn"] == "test-public-http.arn",
        ),
        ({"execute_command": True}, lambda made: container(made)["readonlyRootFilesystem"] is False),
        ({"log_retention_days": 1}, lambda made: one(made, ":LogGroup", "hello").inputs["retentionInDays"] == 1),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_what_its_section_says_is_done(section: Mapping[str, Any], holds: Callable[[list[Recorded]], bool]) -> None:
    """Every key of it: a setting that nobody reads would look as if it did something."""
    assert holds(served(section))


def test_every_key_of_its_section_is_tried_above() -> None:
    """A new one without a row there is a setting that may do nothing."""
    rows = test_what_its_section_says_is_done.pytestmark[0].args[1]
    # In `test_on_instances` three of them, and in the settings' `test_sleep`.
    elsewhere = {"image", "network_mode", "host_port", "placement", "sleeps"}
    assert {key for row in rows for key in row[0]} == WebSettings.model_fields.keys() - elsewhere


@pytest.mark.parametrize(("kind", "opened"), [("internal", "vpc"), ("public", "0.0.0.0/0")])
def test_a_load_balancer_that_the_stack_has_not_is_told_with_all_other_errors(kind: str, opened: str) -> None:
    """Told by the platform, it would come after half of the stack is made."""
    section = WebSettings.model_validate_json(json.dumps({"image": IMAGE, "load_balancer": kind}))
    assert list(section.problems(stack())) == [
        f"load_balancer: got {kind!r}, which the stack has not; add `{kind}_load_balancer: {{open_to: [{opened}]}}`"
    ]
    assert list(section.problems(stack(**{f"{kind}_load_balancer": {}}))) == []


def test_its_section_is_held_against_what_any_service_needs_too() -> None:
    section = WebSettings.model_validate_json(json.dumps({"image": IMAGE, "execute_command": True}))
    (problem,) = section.problems(stack(internal_load_balancer={}))
    assert problem.startswith("execute_command: got True; needs")


def test_its_alarms_ring_at_the_stacks_topic() -> None:
    made = served()
    alarms = of_type(made, ":MetricAlarm")
    assert len(alarms) == 2
    assert all(alarm.inputs["alarmActions"] == ["alerts.arn"] for alarm in alarms.values())


def test_an_image_that_is_pinned_alone_is_in_a_repository_of_its_own() -> None:
    """A stack that builds nothing and takes nothing from elsewhere still has where to push."""
    made = served({"image": {"digest": IMAGE["digest"]}})
    assert one(made, "ecr/repository:Repository").inputs["name"] == "hello"
    assert container(made)["image"] == f"hello.repositoryUrl@{IMAGE['digest']}"


def container(made: list[Recorded]) -> Mapping[str, Any]:
    (only,) = json.loads(one(made, ":TaskDefinition").inputs["containerDefinitions"])
    return only


def _files(project: Path) -> dict[str, str]:
    return {
        path.relative_to(project).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _said(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return inputs without the suffixes of names, which each run makes up."""
    text = json.dumps(inputs, sort_keys=True)
    return json.loads(_SUFFIX.sub("-0000000", text))
