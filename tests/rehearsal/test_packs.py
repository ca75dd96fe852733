"""The packs over the genuine Analyzer protocol, each in a process of its own, as the engine runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.runtime import rpc

from rehearsal import packs
from rehearsal.graph import Registered

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[2] / "policies"
ALL = [FOLDER / name for name in ("tags", "private_network", "least_privilege")]
STACK = "urn:pulumi:dev::drydock::pulumi:pulumi:Stack::drydock-dev"
TAGS = {
    "Project": "drydock",
    "Environment": "dev",
    "Owner": "platform",
    "CostCenter": "CC-1",
    "Service": "shop",
    "ManagedBy": "pulumi",
}


def registered(token: str, name: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> Registered:
    custom = not token.startswith(("drydock:", "pulumi:pulumi:"))
    urn = STACK if token == "pulumi:pulumi:Stack" else f"urn:pulumi:dev::drydock::{token}::{name}"  # noqa: S105
    return Registered(
        **{"urn": urn, "type": token, "name": name, "parent": STACK, "custom": custom, "inputs": dict(inputs or {})}
        | more
    )


def tagged(**inputs: Any) -> dict[str, Any]:
    return {"tagsAll": TAGS, **inputs}


def came_from(*resources: Registered) -> list[str]:
    return [it.urn for it in resources]


def first_preview() -> dict[str, Registered]:
    """A small compliant stack as a first preview has it: no id known, rendered JSON neither."""
    unknown = rpc.UNKNOWN
    stack = registered("pulumi:pulumi:Stack", "drydock-dev", parent="")
    defaults = {"defaultTags": json.dumps({"tags": TAGS}), "region": "eu-west-1"}
    provider = registered("pulumi:providers:aws", "aws", defaults)
    task = registered(
        "drydock:index:Task",
        "shop",
        {
            "policies": {"shop-task": [{"actions": ["dynamodb:GetItem"], "resources": [unknown], "conditions": {}}]},
            "trusts": {
                "shop-task": {
                    "service": "ecs-tasks.amazonaws.com",
                    "conditions": {
                        "StringEquals": {"aws:SourceAccount": ["123456789012"]},
                        "ArnLike": {"aws:SourceArn": ["arn:aws:ecs:eu-west-1:123456789012:*"]},
                    },
                }
            },
        },
        outputs={"family": "shop"},
    )
    role = registered("aws:iam/role:Role", "shop-task", tagged(assumeRolePolicy=unknown), parent=task.urn)
    policy = registered(
        "aws:iam/rolePolicy:RolePolicy",
        "shop-task",
        {"role": unknown, "policy": unknown},
        parent=task.urn,
        property_dependencies={"role": came_from(role)},
    )
    vpc = registered("aws:ec2/vpc:Vpc", "main", tagged())
    gateway = registered("aws:ec2/internetGateway:InternetGateway", "main", tagged())
    nat = registered("aws:ec2/natGateway:NatGateway", "a", tagged())
    in_vpc = {"property_dependencies": {"vpcId": came_from(vpc)}}
    subnet = registered("aws:ec2/subnet:Subnet", "app-a", tagged(vpcId=unknown), **in_vpc)
    table = registered("aws:ec2/routeTable:RouteTable", "app-a", tagged(vpcId=unknown), **in_vpc)
    association = registered(
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "app-a",
        {"subnetId": unknown, "routeTableId": unknown},
        property_dependencies={"subnetId": came_from(subnet), "routeTableId": came_from(table)},
    )
    route = registered(
        "aws:ec2/route:Route",
        "app-a",
        {"routeTableId": unknown, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": unknown},
        property_dependencies={"routeTableId": came_from(table), "natGatewayId": came_from(nat)},
    )
    service = registered(
        "aws:ecs/service:Service",
        "shop",
        tagged(networkConfiguration={"subnets": [unknown], "assignPublicIp": False}, propagateTags="SERVICE"),
        property_dependencies={"networkConfiguration": came_from(subnet)},
    )
    held = [stack, provider, task, role, policy, vpc, gateway, nat, subnet, table, association, route, service]
    for it in held:
        it.outputs = it.outputs or dict(it.inputs)
        it.provider = provider.urn if it.type.startswith("aws:") else ""
    return {f"{it.type.rsplit(':', 1)[-1]} {it.name}": it for it in held}


def judged(graph: Mapping[str, Registered], *folders: Path, **more: Any) -> packs.Judgement:
    return packs.judge(
        folders or ALL,
        list(graph.values()),
        **{"stack": "dev", "project": "drydock", "preview": True, "environment": os.environ} | more,
    )


def changed(graph: Mapping[str, Registered], name: str, **inputs: Any) -> dict[str, Registered]:
    """The graph with one resource's *inputs* changed."""
    held = graph[name]
    return {**graph, name: replace(held, inputs={**held.inputs, **inputs}, outputs={**held.outputs, **inputs})}


def test_a_compliant_first_preview_passes_all_three() -> None:
    judgement = judged(first_preview())
    assert judgement.verdicts == ()
    assert judgement.ok


def test_a_bad_role_is_refused_at_a_first_preview() -> None:
    """The engine alone lets it pass: the rendered JSON is unknown, and that becomes a note."""
    bad = {"shop-task": [{"actions": ["s3:*"], "resources": ["*"], "conditions": {}}]}
    judgement = judged(changed(first_preview(), "Task shop", policies=bad))
    (verdict,) = judgement.verdicts
    assert (verdict.pack, verdict.rule, verdict.level) == ("least-privilege", "least-privilege", "mandatory")
    assert verdict.urn.endswith("drydock:index:Task::shop")
    assert verdict.message.startswith("wildcard-action: Task 'shop': `policies.shop-task` statement 0, s3:*")
    assert not judgement.ok


def test_a_public_subnet_is_refused_at_a_first_preview() -> None:
    graph = first_preview()
    route, gateway = graph["Route app-a"], graph["InternetGateway main"]
    inputs = {"routeTableId": rpc.UNKNOWN, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": rpc.UNKNOWN}
    graph["Route app-a"] = replace(
        route,
        inputs=inputs,
        outputs=inputs,
        property_dependencies={**route.property_dependencies, "gatewayId": came_from(gateway)},
    )
    (verdict,) = judged(graph).verdicts
    assert (verdict.pack, verdict.rule) == ("private-network", "private-network-graph")
    assert verdict.urn.endswith("Service::shop")
    assert "leads to InternetGateway 'main'" in verdict.message


def test_a_missing_tag_is_refused_at_a_first_preview() -> None:
    tags = {key: value for key, value in TAGS.items() if key != "Owner"}
    (verdict,) = judged(changed(first_preview(), "Service shop", tagsAll=tags)).verdicts
    assert verdict.pack == "tags"
    assert "lacks Owner" in verdict.message


def test_a_components_declaration_is_remembered_though_its_outputs_replace_it() -> None:
    """At the end the engine sends what a component registered: its props are gone by then."""
    graph = first_preview()
    assert "policies" not in graph["Task shop"].outputs
    running = {"actions": ["ecs:RunTask"], "resources": ["arn:aws:ecs:eu-west-1:123456789012:task-definition/a:*"]}
    declared = {"policies": {"shop-task": [{**running, "conditions": {}}]}}
    graph["Task shop"] = replace(graph["Task shop"], inputs=declared)
    statement = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Statement": [statement]})
    graph = changed(graph, "Role shop-task", assumeRolePolicy=trust)
    rules = {(it.rule, it.message.split(":")[0]) for it in judged(graph, ALL[2]).verdicts}
    assert ("least-privilege-graph", "task-role") in rules


def test_a_raw_document_beyond_the_declared_is_refused_after_a_deployment() -> None:
    raw = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:PutItem",
           "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/shop"}]}  # fmt: skip
    graph = changed(first_preview(), "RolePolicy shop-task", policy=json.dumps(raw))
    (verdict,) = judged(graph, ALL[2], preview=False).verdicts
    assert verdict.message.startswith("undeclared:")


def test_an_exception_is_reported_and_does_not_stop() -> None:
    exception = {"rule": "required-tag", "resource": "shop", "reason": "a trial", "until": "2999-12-31"}
    graph = changed(first_preview(), "Service shop", tagsAll={"Owner": "x"})
    judgement = judged(graph, ALL[0], configuration={"tags": {"tags": {"exceptions": [exception]}}})
    (verdict,) = judgement.verdicts
    assert (verdict.rule, verdict.level) == ("tags-notes", "advisory")
    assert "a trial" in verdict.message
    assert verdict.urn.endswith("Service::shop")
    assert judgement.ok


@pytest.mark.parametrize(
    ("configuration", "wanted"),
    [
        ({"tagz": "disabled"}, "'tagz' is no policy of this pack; did you mean 'tags'?"),
        ({"tags": {"requird": []}}, "tags.requird is unknown; did you mean 'required'?"),
        ({"tags-notes": {"required": []}}, "'tags-notes' takes no keys; give them to 'tags'"),
        ({"tags": "strict"}, "'strict' is no enforcement level"),
    ],
)
def test_a_misspelt_configuration_is_refused(configuration: dict[str, Any], wanted: str) -> None:
    """The engine ignores a policy it does not know."""
    with pytest.raises(packs.PackError) as caught:
        judged(first_preview(), ALL[0], configuration={"tags": configuration})
    assert wanted in str(caught.value)


def test_a_packs_own_file_for_the_stack_is_its_configuration(tmp_path: Path) -> None:
    """The same file is what `--policy-pack-config` is given."""
    odd = pack(tmp_path, "report('seen')")
    graph = {"stack": first_preview()["Stack drydock-dev"]}
    assert not judged(graph, odd).ok
    (tmp_path / "config.dev.json").write_text('{"looks": "disabled"}')
    assert judged(graph, odd).ok
    assert not judged(graph, odd, stack="prod").ok
    for broken in ("{", "[]"):
        (tmp_path / "config.dev.json").write_text(broken)
        with pytest.raises(packs.PackError, match=r"config\.dev\.json"):
            judged(graph, odd)


def test_a_configuration_for_no_pack_is_refused() -> None:
    with pytest.raises(packs.PackError, match="tagz"):
        judged(first_preview(), ALL[0], configuration={"tagz": {}})


def test_a_level_from_the_configuration_holds() -> None:
    graph = changed(first_preview(), "Service shop", tagsAll={})
    assert judged(graph, ALL[0], configuration={"tags": {"tags": "advisory"}}).ok
    assert judged(graph, ALL[0], configuration={"tags": {"tags": "disabled"}}).verdicts == ()


def test_a_secret_is_sent_in_its_envelope_and_never_shown() -> None:
    graph = changed(first_preview(), "Service shop", tagsAll={**TAGS, "Environment": "hunter2!"})
    graph["Service shop"].secret_inputs = frozenset({"tagsAll"})
    (verdict,) = judged(graph, ALL[0]).verdicts
    assert verdict.message.startswith("tag-value")
    assert "hunter2" not in str(verdict)


def test_packs_started_early_judge_later_and_again() -> None:
    """They start while the program is evaluated, and forget one graph before the next."""
    with packs.start(ALL, stack="dev", project="drydock", preview=True, environment=os.environ) as running:
        good = first_preview()
        assert running.judge(list(good.values())).ok
        assert not running.judge(list(changed(good, "Service shop", tagsAll={}).values())).ok
        assert running.judge(list(good.values())).ok


def test_no_process_is_left() -> None:
    running = packs.start(ALL, stack="dev", project="drydock", preview=True, environment=os.environ)
    pids = [process.process.pid for process in running._processes]
    running.stop()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def pack(folder: Path, body: str) -> Path:
    """A pack of its own, whose one mandatory policy is *body*."""
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (folder / "__main__.py").write_text(
        textwrap.dedent(
            """
            import os, sys
            from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy
            def judge(args, report):
                {}
            policy = ResourceValidationPolicy("looks", "Looks.", judge, EnforcementLevel.MANDATORY)
            PolicyPack("odd", [policy])
            """
        ).format(body)
    )
    return folder


def test_a_mandatory_policy_that_an_unknown_kept_from_running_is_unproved(tmp_path: Path) -> None:
    """The SDK makes an advisory note of it, and the engine goes on."""
    odd = pack(tmp_path, "args.props.get('policy') if 'policy' in args.props else None")
    judgement = judged(first_preview(), odd)
    (verdict,) = judgement.verdicts
    assert (verdict.level, verdict.rule) == ("unproved", "looks")
    assert "can't be known during preview" in verdict.message
    assert not judgement.ok
    assert judgement.refusals == (verdict,)


def test_a_policy_that_crashes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(packs.PackError, match="zero"):
        judged(first_preview(), pack(tmp_path, "1 / 0"))


def test_a_pack_that_does_not_start_is_an_error_with_its_words(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("raise SystemExit('no such rule')\n")
    with pytest.raises(packs.PackError, match="did not start") as caught:
        judged(first_preview(), tmp_path)
    assert "no such rule" in str(caught.value)


def test_a_pack_that_speaks_before_its_port_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("print('hello')\n")
    with pytest.raises(packs.PackError, match="hello"):
        judged(first_preview(), tmp_path)


def test_a_pack_gets_the_environment_given_and_its_stack(tmp_path: Path) -> None:
    """Whoever started it marks its processes by a variable, so as to find them again."""
    names = ["MARK", "PULUMI_STACK", "PULUMI_PROJECT", "PULUMI_DRY_RUN"]
    odd = pack(tmp_path, f"report(' '.join(os.environ.get(it, '-') for it in {names}))")
    graph = {"stack": first_preview()["Stack drydock-dev"]}
    environment = {**os.environ, "MARK": "here"}
    assert judged(graph, odd, environment=environment).verdicts[0].message == "here dev drydock true"
    bare = {"PATH": os.environ["PATH"]}
    assert judged(graph, odd, environment=bare, preview=False).verdicts[0].message == "- dev drydock false"


def test_the_packs_do_not_import_the_provider() -> None:
    """It costs a second at every start."""
    names = "policies.pack", "policies.rules.tags", "policies.rules.private_network", "policies.rules.role_graph"
    script = (
        f"import sys\nfor name in {names}: __import__(name)\nprint('pulumi_aws' in sys.modules, 'boto3' in sys.modules)"
    )
    shown = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", script], cwd=FOLDER.parent, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "False False"
