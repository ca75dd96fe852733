"""A stack file is right wholly, or every error in it is told before anything is created."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pulumi.runtime
import pytest
import yaml

import apps
import settings
from settings import ServiceSettings, Settings, SettingsError, WorkloadSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
GOOD: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
GOOD["drydock:workloads"] = {"query-service": GOOD["drydock:workloads"]["query-service"]}
DIGEST = "sha256:" + "a" * 64
REMOVED = object()


ACM = "arn:aws:acm:ap-southeast-1:444455556666:certificate/1a2b"
DOMAIN: dict[str, Any] = {"name": "shop.example.com", "zone_id": "Z0123456789A"}


KNOWN: dict[str, type[WorkloadSettings]] = {"query-service": ServiceSettings, "hello": ServiceSettings}


def load(
    config: dict[str, Any], secret: tuple[str, ...] = (), known: Mapping[str, type[WorkloadSettings]] = KNOWN
) -> Settings:
    """Load *config* as the engine hands it over: every value as text."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    pulumi.runtime.set_all_config(texts, list(secret))
    return settings.load(known)


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the good file with one setting, such as ``network.nat``, another."""
    config = copy.deepcopy(GOOD)
    key, *rest = path.split("/")
    section: Any = config
    for part in rest:
        section = section.setdefault(key, {})
        key = part
    if value is REMOVED:
        del section[key]
    else:
        section[key] = value
    return config


def complaint(config: dict[str, Any], secret: tuple[str, ...] = ()) -> str:
    """Return what is said of a file that cannot be used."""
    with pytest.raises(SettingsError) as refused:
        load(config, secret)
    return str(refused.value)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_stack_files_of_this_repository_are_good(stack: str) -> None:
    """Whoever changes a setting's name must change both files."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    known = {name: workload.settings_class() for name, workload in apps.discover().items()}
    assert load(config, known=known).stage == stack


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_an_editor_finds_nothing_wrong_with_them_either(stack: str) -> None:
    """The schema beside them is what editors go by."""
    schema = json.loads((ROOT / "stack.schema.json").read_text())
    jsonschema.validate(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()), schema)


def test_an_empty_section_is_no_way_to_take_a_workload_out() -> None:
    """It is what a forgotten or commented line leaves; `up` would destroy what was there."""
    told = complaint(changed("drydock:workloads/hello", None))
    assert "drydock:workloads.hello: got None; a section with keys of its own" in told


def test_the_schema_in_the_repository_is_current() -> None:
    """`make schema` writes it; a setting that is not in it would be underlined as wrong."""
    known = {name: workload.settings_class() for name, workload in apps.discover().items()}
    assert json.loads((ROOT / "stack.schema.json").read_text()) == settings.schema(known)


def test_pulumi_yaml_describes_settings_that_there_are() -> None:
    """A default for a setting that nobody reads would look as if it did something."""
    described = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert {key.removeprefix("drydock:") for key in described} <= set(Settings.model_fields)


BAD = {
    "a region that is none": ("drydock:region", "Singapore", "drydock:region: got 'Singapore'; a region such as"),
    "an account that is a number": ("drydock:allowed_account_ids", [111122223333], "text: put it in quotes"),
    "an account that is short": ("drydock:allowed_account_ids", ["1111"], "got '1111'; an account's 12 digits"),
    "two accounts": ("drydock:allowed_account_ids", ["111122223333", "444455556666"], "name exactly one account"),
    "no stage": ("drydock:stage", REMOVED, "drydock:stage: missing; it must be said"),
    "a stage with capitals": ("drydock:stage", "Prod", "got 'Prod'; 1 to 12 small letters"),
    "a stage that makes AWS's own name of the load balancer's": (
        "drydock:stage",
        "internal-a",
        "drydock:stage: got 'internal-a'; load balancer name: got 'internal-a-internal'; letters, digits",
    ),
    "a stage that makes an id of the security group's name": (
        "drydock:stage",
        "sg",
        "drydock:stage: got 'sg'; security group name: got 'sg-",
    ),
    "an account in other digits": ("drydock:allowed_account_ids", ["\u0661" * 12], "an account's 12 digits"),
    "an owner of spaces": ("drydock:owner", "   ", "drydock:owner: got '   '; a tag's value"),
    "an owner that is AWS's": ("drydock:owner", "AWS:me", "drydock:owner: got 'AWS:me'; a tag's value"),
    "an empty owner": ("drydock:owner", "", "drydock:owner: got ''; a tag's value"),
    "protect that is neither": ("drydock:protect", "perhaps", "drydock:protect: got 'perhaps'; true or false"),
    "a NAT that there is not": ("drydock:network/nat", "double", "got 'double'; one of 'none', 'single' or 'per_zone'"),
    "a zone that is none": ("drydock:network/zones", ["a", "z"], "drydock:network.zones.1: got 'z'; a zone's letter"),
    "one zone twice": ("drydock:network/zones", ["a", "a"], "drydock:network: Network.zones"),
    "a block that is none": ("drydock:network/cidr", "10.0.0.0", "got '10.0.0.0'; an IPv4 block"),
    "a block too large for AWS": ("drydock:network/cidr", "10.0.0.0/8", "drydock:network: Network.cidr"),
    "no NAT and no endpoints": ("drydock:network/nat", "none", "drydock:network: Network."),
    "an endpoint that there is not": ("drydock:network/interface_endpoints", ["execute_api"], "execute_api"),
    "days that CloudWatch has not": ("drydock:network/flow_log_days", 31, "CloudWatch keeps logs for one of 1, 3"),
    "a provider that is misspelt": ("drydock:cluster/capacity", [{"provider": "SPOT"}], "got 'SPOT'; one of 'FARGATE'"),
    "no provider at all": ("drydock:cluster/capacity", [], "capacity: got []; one capacity provider or more"),
    "no provider for a service": (
        "drydock:workloads/query-service/capacity",
        [],
        "capacity: got []; one capacity provider or more",
    ),
    "an unknown insight": ("drydock:cluster/container_insights", True, "got True; one of 'disabled'"),
    "a timeout too long": ("drydock:internal_load_balancer/idle_timeout", 4001, "got 4001; 4000 or less"),
    "an internal balancer open to all": ("drydock:internal_load_balancer/open_to", ["0.0.0.0/0"], "got '0.0.0.0/0'"),
    "a certificate that is none": (
        "drydock:internal_load_balancer/domain",
        {"name": "shop.example.com", "certificate_arn": "x"},
        "drydock:internal_load_balancer.domain.certificate_arn: got 'x'; the ARN of an ACM",
    ),
    "a certificate of another region": (
        "drydock:internal_load_balancer/domain",
        {"name": "shop.example.com", "certificate_arn": ACM.replace("southeast-1", "southeast-2")},
        f"one of the stack's own account and region, {ACM.removesuffix('1a2b')}...",
    ),
    "a certificate of another account": (
        "drydock:internal_load_balancer/domain",
        {"name": "shop.example.com", "certificate_arn": ACM.replace("4444", "1111")},
        "drydock:internal_load_balancer.domain.certificate_arn: got 'arn:aws:acm:ap-southeast-1:111155556666:cert",
    ),
    "more blocks than a security group has rules": (
        "drydock:internal_load_balancer",
        {"open_to": [f"10.{number}.0.0/16" for number in range(61)]},
        "drydock:internal_load_balancer.open_to: got 61 blocks; 60 or fewer",
    ),
    "more blocks than it has for two ports": (
        "drydock:internal_load_balancer",
        {"open_to": [f"10.{number}.0.0/16" for number in range(31)], "domain": DOMAIN},
        "got 31 blocks; 30 or fewer: each takes a rule for each of 2 port(s)",
    ),
    "an internal balancer open to NAT": ("drydock:internal_load_balancer/open_to", ["nat"], "got 'nat'; 'vpc'"),
    "a domain that is a URL": (
        "drydock:internal_load_balancer/domain",
        DOMAIN | {"name": "https://shop.example.com"},
        "drydock:internal_load_balancer.domain.name: got 'https://shop.example.com'; a host name in lower case",
    ),
    "a domain longer than a certificate's first name": (
        "drydock:internal_load_balancer/domain",
        DOMAIN | {"name": f"{'a' * 60}.example.com"},
        ".com'; a host name in lower case such as 'shop.example.com', of 64 characters or fewer",
    ),
    "a further name that is none": (
        "drydock:internal_load_balancer/domain",
        DOMAIN | {"further_names": ["shop.*.example.com"]},
        "drydock:internal_load_balancer.domain.further_names.0: got 'shop.*.example.com'; a host name in lower case",
    ),
    "a further name that is the first": (
        "drydock:internal_load_balancer/domain",
        DOMAIN | {"further_names": ["shop.example.com"]},
        "drydock:internal_load_balancer.domain.further_names: got ('shop.example.com',); each name once",
    ),
    "a zone as the API writes it": (
        "drydock:internal_load_balancer/domain",
        DOMAIN | {"zone_id": "/hostedzone/Z0123456789A"},
        "domain.zone_id: got '/hostedzone/Z0123456789A'; a hosted zone's id, such as 'Z0123456789ABCDEFGHIJ', without",
    ),
    "a zone and a certificate": (
        "drydock:internal_load_balancer/domain",
        DOMAIN | {"certificate_arn": ACM},
        "drydock:internal_load_balancer.domain: got both of zone_id and certificate_arn; one of them",
    ),
    "neither zone nor certificate": (
        "drydock:internal_load_balancer/domain",
        {"name": "shop.example.com"},
        "drydock:internal_load_balancer.domain: got neither of zone_id and certificate_arn; one of them",
    ),
    "a domain that says no name": (
        "drydock:internal_load_balancer/domain",
        {"zone_id": "Z0123456789A"},
        "drydock:internal_load_balancer.domain.name: missing; it must be said",
    ),
    "an address that is none": ("drydock:alerts/emails", ["ops"], "got 'ops'; an e-mail address"),
    "a boundary by its ARN": (
        "drydock:roles/boundary",
        "arn:aws:iam::444455556666:policy/pipeline/boundary-prod",
        "such as 'pipeline/boundary-prod'",
    ),
    "a boundary with the first slash": ("drydock:roles/boundary", "/boundary", "without its account and the first"),
    "a registry with a repository": (
        "drydock:image_registry",
        "111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/query-service",
        "without a repository's name behind it",
    ),
    "a stage that makes no repository's name beside a registry": (
        "drydock:stage",
        "prod-",
        "drydock:stage: got 'prod-'; repository name: got 'prod-'; lower-case letters and digits",
    ),
    "a pull account that is none": ("drydock:image_pull_accounts", ["me"], "got 'me'; an account's 12 digits"),
    "no image": ("drydock:workloads/query-service/image", REMOVED, "add `image: {build: true}`, or `image: {digest"),
    "two images": ("drydock:workloads/query-service/image", {"build": True, "digest": DIGEST}, "say one of"),
    "an image by tag": ("drydock:workloads/query-service/image", {"digest": "latest"}, "'sha256:' and 64 hexadecimal"),
    "a repository with a tag": (
        "drydock:workloads/query-service/image/repository",
        "111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/query-service:latest",
        "<name> without tag or digest",
    ),
    "a repository that ECR has not": (
        "drydock:workloads/query-service/image/repository",
        "111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/query//service",
        "the name lower-case letters and digits, joined by single",
    ),
    "a repository of no region": (
        "drydock:workloads/query-service/image/repository",
        "111122223333.dkr.ecr.asia.amazonaws.com/query-service",
        "<account>.dkr.ecr.<region>.amazonaws.com/<name>",
    ),
    "a repository's name too long": (
        "drydock:workloads/query-service/image/repository",
        "111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/" + "a" * 257,
        "at most 256 characters, and this has 257",
    ),
    "a pair that Fargate has not": ("drydock:workloads/query-service/size", {"cpu": 256, "memory": 4096}, "512, 1024"),
    "a count that is text": ("drydock:workloads/query-service/desired_count", "2", "got '2'; a whole number"),
    "a count below none": ("drydock:workloads/query-service/desired_count", -1, "got -1; 0 or more"),
    "a maximum under the minimum": ("drydock:workloads/query-service/scaling", {"minimum": 4, "maximum": 2}, "got 2"),
    "a count above the maximum": (
        "drydock:workloads/query-service/desired_count",
        5,
        "drydock:workloads.query-service.desired_count: got 5; `scaling` keeps it from 2 to 4",
    ),
    "a count below the minimum": ("drydock:workloads/query-service/desired_count", 1, "keeps it from 2 to 4"),
    "a rollout that cannot move": (
        "drydock:workloads/query-service/rollout",
        {"minimum_healthy_percent": 100, "maximum_percent": 100},
        "2 must stay and 2 may run, so none can be replaced",
    ),
    "Exec that nobody records": ("drydock:cluster/exec_audit", False, "needs `cluster: {exec_audit: true}`"),
    "a workload that there is not": ("drydock:workloads/query-servce", {}, "did you mean 'query-service'?"),
    "a misspelt setting": ("drydock:regoin", "eu-west-1", "drydock:regoin: no such setting; did you mean 'region'?"),
    "a misspelt setting inside": ("drydock:network/nats", "none", "drydock:network.nats: no such setting"),
    "a section that is a list": ("drydock:cluster", [], "got []; a section with keys of its own"),
    "a misspelt namespace": ("drydok:region", "x", "drydok:region: nobody reads it; did you mean 'drydock:region'?"),
    "another's namespace": ("gcp:zone", "x", "gcp:zone: nobody reads it; settings here begin with 'drydock:'"),
    "the provider's own region": ("aws:region", "eu-west-1", "aws:region: has no effect here; set drydock:region"),
}


@pytest.mark.parametrize(("path", "value", "says"), BAD.values(), ids=BAD.keys())
def test_a_bad_setting_is_named_with_what_would_do(path: str, value: object, says: str) -> None:
    """Each of these would otherwise fail in AWS, half-way, or silently mean something else."""
    told = complaint(changed(path, value))
    assert told.startswith("1 setting of this stack cannot be used:")
    assert says in told


def test_a_key_of_the_engines_is_no_concern_of_ours() -> None:
    """`pulumi:autonaming` and the like are read by the engine itself."""
    assert load({**GOOD, "pulumi:disable-default-providers": ["aws"]}).stage == "prod"


def test_a_count_that_nobody_said_contradicts_no_scaling() -> None:
    """The default is 2, and a service that breathes from 3 on needs no other word."""
    section = {"image": {"build": True}, "scaling": {"minimum": 3, "maximum": 6}}
    assert load(changed("drydock:workloads", {"query-service": section})).region == "ap-southeast-1"


def test_ten_errors_are_told_at_once() -> None:
    """One error a run would be ten runs."""
    config = copy.deepcopy(GOOD)
    config.update(
        {
            "drydock:stage": "Prod",
            "drydock:owner": "",
            "drydock:protect": "perhaps",
            "drydock:network": {"zones": ["a", "z"], "nat": "double", "typo": 1},
            "drydock:cluster": {"capacity": [{"provider": "SPOT"}]},
            "drydock:internal_load_balancer": {"idle_timeout": 0},
            "drydock:alerts": {"emails": ["ops"]},
            "drydock:workloads": {"query-service": {"image": {"build": True}, "desired_count": -1}},
        }
    )
    told = complaint(config).splitlines()
    assert told[0] == "10 settings of this stack cannot be used:"
    assert len(told) == 11


def test_an_encrypted_setting_is_refused_without_its_value() -> None:
    """No setting is a secret, so an encrypted one is a slip; and no message may tell what was in it."""
    told = complaint(changed("drydock:owner", "hunter2 €"), secret=("drydock:owner",))
    assert "drydock:owner: is encrypted" in told
    assert "hunter2" not in told


def test_settings_cannot_be_changed_once_read() -> None:
    """Every part of the program sees the same."""
    with pytest.raises(ValueError, match="frozen"):
        load(GOOD).stage = "dev"  # type: ignore[misc]


def test_an_adopted_network_needs_its_ids_and_nothing_of_a_made_one() -> None:
    """Settings of a VPC that is not made would be read by nobody."""
    adopted = {
        "vpc_id": "vpc-0a1b2c3d",
        "cidr": "10.1.0.0/16",
        "zones": ["a", "b"],
        "public_subnet_ids": ["subnet-2a1b2c3d", "subnet-3a1b2c3d"],
        "app_subnet_ids": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        "endpoint_ids": {"execute-api": "vpce-0a1b2c3d"},
    }
    assert load(changed("drydock:network", {"adopt": adopted})).network.endpoints() == {"execute-api"}
    assert "take these out, or take out `adopt`" in complaint(
        changed("drydock:network", {"adopt": adopted, "nat": "single"})
    )


def test_tags_are_all_that_the_packs_ask_for() -> None:
    """The six required tags of `policies/tags`."""
    assert load(GOOD).tags().keys() == {"Project", "Environment", "Owner", "CostCenter", "Service", "ManagedBy"}
