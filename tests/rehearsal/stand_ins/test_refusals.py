"""What AWS would not have is told as resource, operation, and AWS's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi_aws as aws
import pytest

from rehearsal.graph import Registered
from rehearsal.monitor import Refused
from rehearsal.stand_ins.calls import RefusedCall

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.emulator import Emulator
    from rehearsal.stand_ins import StandIns

assert aws.__name__, "the types below are known once the package is imported"


def resource(token: str, secret: frozenset[str] = frozenset(), **inputs: Any) -> Registered:
    return Registered(
        urn=f"urn::{token}::r", type=token, name="r", parent="", custom=True, inputs=inputs, secret_inputs=secret
    )


def test_a_refused_call_names_the_resource_the_operation_and_awss_words(stand_ins: StandIns) -> None:
    with pytest.raises(RefusedCall) as caught:
        stand_ins.make(resource("aws:ec2/route:Route", routeTableId="rtb-0", destinationCidrBlock="0.0.0.0/0"))
    assert caught.value.operation == "ec2:CreateRoute"
    assert str(caught.value).startswith(
        "aws:ec2/route:Route 'r': ec2:CreateRoute was refused: InvalidRouteTableID.NotFound: "
    )


def test_what_no_emulator_has_is_held_against_botocores_model(stand_ins: StandIns) -> None:
    """Validated must mean something: a setting that AWS has not is refused though nothing is called."""
    target = resource(
        "aws:appautoscaling/target:Target",
        serviceNamespace="ecs",
        resourceId="service/a/b",
        scalableDimension="ecs:service:DesiredCount",
        minCapacity="few",
        maxCapacity=2,
    )
    with pytest.raises(
        RefusedCall, match=r"RegisterScalableTarget was refused: .*Invalid type for parameter MinCapacity"
    ):
        stand_ins.make(target)


def test_a_choice_that_aws_has_not_is_refused_though_botocore_lets_it_pass(stand_ins: StandIns) -> None:
    """The model knows the choices and the maxima, and checks neither; nor does the emulator."""
    group = resource("aws:lb/targetGroup:TargetGroup", name="t", port=80, protocol="HTP")
    with pytest.raises(RefusedCall, match=r"Protocol is 'HTP', and must be one of HTTP, HTTPS, TCP"):
        stand_ins.make(group)
    group = resource("aws:lb/targetGroup:TargetGroup", name="t", port=70000, protocol="HTTP")
    with pytest.raises(RefusedCall, match=r"Port is 70000, and may be at most 65535"):
        stand_ins.make(group)


def test_botocore_refuses_before_the_emulator_is_asked(stand_ins: StandIns) -> None:
    """The emulator validates next to nothing."""
    with pytest.raises(RefusedCall, match=r'Missing required parameter in input: "Port"|valid type'):
        stand_ins.make(resource("aws:lb/targetGroup:TargetGroup", name="t", port="http"))


def test_an_input_that_the_stand_in_does_not_know_is_refused_and_not_dropped(stand_ins: StandIns) -> None:
    with pytest.raises(Refused, match=r"the stand-in does not know its input mystery; no parameter of sns:CreateTopic"):
        stand_ins.make(resource("aws:sns/topic:Topic", name="t", mystery=1))


def test_a_misspelt_key_of_a_container_is_refused_and_not_dropped(stand_ins: StandIns) -> None:
    """ECS takes the JSON as it is, so that a misspelt health check is no health check."""
    definitions = '[{"name": "a", "image": "b", "healthChek": {"command": ["true"]}}]'
    task = resource("aws:ecs/taskDefinition:TaskDefinition", family="f", containerDefinitions=definitions)
    with pytest.raises(Refused, match=r"does not know its input containerDefinitions\.healthChek"):
        stand_ins.make(task)


def test_a_secret_is_not_in_the_message(stand_ins: StandIns) -> None:
    """The model quotes the value that it refuses, and AWS may too."""
    version = resource(
        "aws:secretsmanager/secretVersion:SecretVersion",
        frozenset({"secretString"}),
        secretId="no-such",
        secretString="hunter2",
        versionStages=[{"hunter2": 1}],
    )
    with pytest.raises(RefusedCall) as caught:
        stand_ins.make(version)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"region": "eu-west-1", "allowedAccountIds": '["999999999999"]'}, "the account 123456789012 is not among"),
        ({"region": "us-east-1"}, "its region is us-east-1, and the emulator's eu-west-1"),
    ],
)
def test_a_provider_for_another_account_or_region_is_refused(
    inputs: dict[str, str], told: str, stand_ins: StandIns
) -> None:
    """The guard against the wrong account is tried here as the provider would try it."""
    with pytest.raises(Refused, match=told):
        stand_ins.make(resource("pulumi:providers:aws", **inputs))


def test_an_image_whose_source_is_not_there_is_refused(stand_ins: StandIns, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"its context is .*/nowhere, where there is nothing"):
        stand_ins.make(resource("awsx:ecr:Image", repositoryUrl="r", context=str(tmp_path / "nowhere")))
    with pytest.raises(Refused, match=r"its dockerfile is .*/Dockerfile, where there is nothing"):
        stand_ins.make(resource("awsx:ecr:Image", repositoryUrl="r", context=str(tmp_path)))


def test_an_image_is_named_by_the_content_of_its_source(stand_ins: StandIns, tmp_path: Path) -> None:
    """A task definition changes when, and only when, the code does."""

    def uri() -> str:
        return stand_ins.make(resource("awsx:ecr:Image", repositoryUrl="r", context=str(tmp_path))).outputs["imageUri"]

    (tmp_path / "Dockerfile").write_text("FROM scratch")
    first = uri()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"1")
    assert uri() == first
    (tmp_path / "main.py").write_text("print()")
    assert uri() != first
    assert first.startswith("r@sha256:")
    assert len(first) == len("r@sha256:") + 64


def test_a_function_whose_code_is_not_there_is_refused(emulator: Emulator, stand_ins: StandIns) -> None:
    code = {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7", "path": "nowhere"}
    function = resource("aws:lambda/function:Function", name="f", role="r", code=code)
    with pytest.raises(Refused, match=r"its code is at .*/nowhere, where there is nothing"):
        stand_ins.make(function)
