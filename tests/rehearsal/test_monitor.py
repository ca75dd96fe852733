"""The monitor records what is registered, and refuses what the engine and the provider would."""

from __future__ import annotations

import textwrap
import threading
from typing import TYPE_CHECKING

import pytest
from pulumi.runtime.rpc import UNKNOWN

from rehearsal.monitor import Refused
from tests.rehearsal.programs import Made, named, refusal, run

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.graph import Answer, Registered

COMPONENT = """
    class Box(pulumi.ComponentResource):
        def __init__(self, name, opts=None, registers=True):
            super().__init__("shop:index:Box", name, {"size": 3}, opts)
            self.topic = aws.sns.Topic(name, opts=pulumi.ResourceOptions(parent=self))
            if registers:
                self.register_outputs({"arn": self.topic.arn})
    boxes = pulumi.ResourceOptions(providers=[provider])
"""


def boxed(source: str) -> str:
    return textwrap.dedent(COMPONENT) + textwrap.dedent(source)


def test_a_urn_holds_the_types_of_all_ancestors(tmp_path: Path) -> None:
    """The SDK's mocks keep the parent's type alone, so that two resources of the engine's would be one of theirs."""
    source = """
        class Outer(pulumi.ComponentResource):
            def __init__(self, name, opts):
                super().__init__("shop:index:Outer", name, {}, opts)
                Box("inner", pulumi.ResourceOptions(parent=self))
                self.register_outputs({})
        Outer("outer", boxes)
    """
    topic = named(run(tmp_path, boxed(source), preview=True), "inner", "Topic")
    assert topic.urn == "urn:pulumi:dev::shop::shop:index:Outer$shop:index:Box$aws:sns/topic:Topic::inner"
    assert topic.parent == "urn:pulumi:dev::shop::shop:index:Outer$shop:index:Box::inner"


def test_a_component_keeps_what_was_meant_and_what_it_hands_out(tmp_path: Path) -> None:
    box = named(run(tmp_path, boxed("Box('b', boxes)")), "b", "Box")
    assert box.inputs == {"size": 3}
    assert box.outputs == {"size": 3, "arn": "arn:aws:x:eu-west-1:123456789012:b"}
    assert (box.custom, box.proof) == (False, "local")


def test_where_each_input_came_from_is_recorded(tmp_path: Path) -> None:
    """Policies walk the graph by these: a subnet is proved private through its route table's routes."""
    source = """
        topic = aws.sns.Topic("alerts", opts=options)
        queue = aws.sqs.Queue("jobs", opts=pulumi.ResourceOptions(provider=provider, protect=True, aliases=[
            pulumi.Alias(name="old")], ignore_changes=["delaySeconds"]))
        aws.sns.TopicSubscription("s", topic=topic.arn, protocol="sqs", endpoint=queue.arn, opts=options)
    """
    result = run(tmp_path, source, preview=True)
    topic, queue, subscription = (named(result, name) for name in ("alerts", "jobs", "s"))
    assert subscription.property_dependencies == {"topic": [topic.urn], "endpoint": [queue.urn], "protocol": []}
    assert subscription.dependencies == sorted([topic.urn, queue.urn])
    assert queue.provider == "urn:pulumi:dev::shop::pulumi:providers:aws::aws"
    assert (queue.protect, queue.aliases, queue.ignore_changes) == (True, ["name=old"], ["delaySeconds"])


def test_secrets_are_plain_and_known_by_name(tmp_path: Path) -> None:
    source = """
        secret = aws.secretsmanager.Secret("s", opts=options)
        hidden = pulumi.Output.secret("x")
        aws.secretsmanager.SecretVersion("v", secret_id=secret.id, secret_string=hidden, opts=options)
        task = aws.ecs.TaskDefinition("t", family="t", container_definitions=pulumi.Output.json_dumps(
            [{"image": pulumi.Output.secret("y")}]), opts=options)
        pulumi.export("out", task.container_definitions)
    """
    result = run(tmp_path, source)
    assert named(result, "v").inputs["secretString"] == "x"
    assert named(result, "v").secret_inputs == {"secretString"}
    assert named(result, "t").secret_inputs == {"containerDefinitions"}
    assert result.secret_outputs == {"out"}, "an output of a secret input is secret too"


def test_tags_of_the_provider_and_of_the_resource_are_merged_and_the_resource_wins(tmp_path: Path) -> None:
    source = """
        aws.sns.Topic("plain", opts=options)
        aws.sns.Topic("own", tags={"Service": "query"}, opts=options)
        aws.sns.TopicSubscription("s", topic="t", protocol="sqs", endpoint="q", opts=options)
        topic = aws.sns.Topic("computed", opts=options)
        aws.sns.Topic("unknown", tags={"Arn": topic.arn}, opts=options)
    """
    result = run(tmp_path, source, preview=True)
    assert named(result, "plain").inputs["tagsAll"] == {"Project": "shop", "Service": "platform"}
    assert named(result, "own").inputs["tagsAll"] == {"Project": "shop", "Service": "query"}
    assert named(result, "unknown").inputs["tagsAll"] == {"Project": "shop", "Service": "platform", "Arn": UNKNOWN}
    assert "tagsAll" not in named(result, "s").inputs, "a subscription takes no tags"


def test_a_document_given_as_a_map_is_kept_as_json(tmp_path: Path) -> None:
    """The provider's Check makes text of it; the SDK breaks on an answer that has the map."""
    source = """
        aws.iam.RolePolicy("p", role="r", policy={"Version": "2012-10-17", "Statement": []}, opts=options)
    """
    result = run(tmp_path, source)
    assert result.error is None
    assert named(result, "p").inputs["policy"] == '{"Statement": [], "Version": "2012-10-17"}'


REFUSED = {
    "a doubled name": (
        "aws.sns.Topic('a', opts=options)\naws.sns.Topic('a', opts=options)",
        "aws:sns/topic:Topic 'a': another resource has the URN",
    ),
    "the default provider": (
        "aws.sns.Topic('a')",
        "aws:sns/topic:Topic 'a' is on the default provider",
    ),
    "an unknown type": (
        "aws.glacier.Vault('v', opts=options)",
        "aws:glacier/vault:Vault 'v': no stand-in for aws:glacier/vault:Vault",
    ),
    "a function": (
        "pulumi.export('id', aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=provider)).account_id)",
        "the program calls the function aws:index/getCallerIdentity:getCallerIdentity",
    ),
    "an existing resource": (
        "aws.ec2.Vpc.get('v', 'vpc-1', opts=options)",
        "aws:ec2/vpc:Vpc 'v' reads the existing 'vpc-1'",
    ),
    "a name without room for its suffix": (
        "aws.lb.LoadBalancer('a' * 25, opts=options)",
        "is longer than 32, the most that 'name' of aws:lb/loadBalancer:LoadBalancer may have",
    ),
    "a nested argument that there is not": (
        "aws.lb.TargetGroup('t', health_check={'pth': '/'}, opts=options)",
        "aws:lb/targetGroup:TargetGroup 't': healthCheck.pth: no such argument; there are enabled, healthyThreshold",
    ),
    "a nested argument that is missing": (
        "aws.lb.Listener('l', load_balancer_arn='a', default_actions=[{'order': 1}], opts=options)",
        "aws:lb/listener:Listener 'l': defaultActions[0].type: missing, and required",
    ),
    "a required argument that turns out to be nothing": (
        "aws.iam.RolePolicy('p', role='r', policy=pulumi.Output.from_input(None), opts=options)",
        "aws:iam/rolePolicy:RolePolicy 'p': policy: missing, and required",
    ),
    "a transform": (
        "aws.sns.Topic('a', opts=pulumi.ResourceOptions(provider=provider, transforms=[lambda args: None]))",
        "aws:sns/topic:Topic 'a' has transforms",
    ),
    "a transform of the stack": (
        "pulumi.runtime.register_resource_transform(lambda args: None)",
        "the program registers a stack transform",
    ),
    "a hook that comes after": (
        """
        hooks = pulumi.ResourceHookBinding(after_create=[pulumi.ResourceHook("h", lambda args: None)])
        aws.sns.Topic("a", opts=pulumi.ResourceOptions(provider=provider, hooks=hooks))
        """,
        "the after_create hook 'h' is of a kind that a rehearsal does not run",
    ),
    "a hook of previews": (
        """
        said = pulumi.ResourceHookOptions(on_dry_run=True)
        hooks = pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook("h", lambda args: None, said)])
        aws.sns.Topic("a", opts=pulumi.ResourceOptions(provider=provider, hooks=hooks))
        """,
        "the hook 'h' says on_dry_run or ignore_errors",
    ),
}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_the_engine_would_refuse_or_do_and_mocks_ignore_is_refused(
    what: str, tmp_path: Path, *, preview: bool
) -> None:
    """Pulumi's mocks accept every one of these, so that a test passes where a deployment fails."""
    source, told = REFUSED[what]
    assert told in refusal(run(tmp_path, source, preview=preview))


def test_a_component_that_never_registers_its_outputs_is_refused(tmp_path: Path) -> None:
    message = refusal(run(tmp_path, boxed("Box('b', boxes, registers=False)"), preview=True))
    assert message.endswith("are not kept: shop:index:Box 'b'")


def test_an_output_that_no_stand_in_answers_is_told_where_it_is_used(tmp_path: Path) -> None:
    """Mocks answer None, and the program goes on with it."""
    source = """
        eip = aws.ec2.Eip("nat", opts=options)
        aws.ec2.NatGateway("nat", subnet_id="subnet-1", allocation_id=eip.allocation_id, opts=options)
    """
    assert refusal(run(tmp_path, source)) == (
        "aws:ec2/natGateway:NatGateway 'nat': its allocationId is still unknown. It comes from "
        "aws:ec2/eip:Eip 'nat', whose stand-in does not answer one of its outputs"
    )


def test_an_unknown_export_is_told(tmp_path: Path) -> None:
    message = refusal(run(tmp_path, "pulumi.export('ip', aws.ec2.Eip('nat', opts=options).public_ip)"))
    assert message.startswith("the stack's outputs ip are still unknown")


def test_resources_are_made_at_once_where_nothing_keeps_them_apart(tmp_path: Path) -> None:
    """Each waits for the other here: one after the other, neither would ever be made."""
    both = threading.Barrier(2, timeout=5)

    def make(resource: Registered) -> None:
        if resource.name in ("a", "b"):
            both.wait()

    maker = Made(make)
    source = """
        a = aws.sns.Topic("a", opts=options)
        b = aws.sns.Topic("b", opts=options)
        aws.sns.Topic("c", opts=pulumi.ResourceOptions(provider=provider, depends_on=[a, b]))
    """
    assert run(tmp_path, source, maker=maker).error is None
    assert maker.made[-1] == "c"


def test_one_refusal_stops_the_run_and_what_is_under_way_ends_before_it_returns(tmp_path: Path) -> None:
    """A registration that outlives the run would call an emulator that is being stopped."""
    begun, refused, ended = threading.Event(), threading.Event(), threading.Event()

    def make(resource: Registered) -> Answer | None:
        if resource.name == "bad":
            begun.wait(5)
            refused.set()
            raise Refused("aws:sns/topic:Topic 'bad': sns:CreateTopic was refused: AuthorizationError: no")
        if resource.name == "slow":
            begun.set()
            refused.wait(5)
            ended.set()
        return None

    maker = Made(make)
    source = """
        bad = aws.sns.Topic("bad", opts=options)
        slow = aws.sns.Topic("slow", opts=options)
        aws.sns.Topic("after-bad", display_name=bad.arn, opts=options)
        aws.sns.Topic("after-slow", display_name=slow.arn, opts=options)
    """
    message = refusal(run(tmp_path, source, maker=maker))
    assert message == "aws:sns/topic:Topic 'bad': sns:CreateTopic was refused: AuthorizationError: no"
    assert ended.is_set()
    assert maker.made == ["aws", "slow"], "nothing new begins after the refusal"
