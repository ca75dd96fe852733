"""No secret is to be read anywhere: looked for by value in all that whole rehearsals print, write and leave behind."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from rehearsal.graph import Answer
from tests.rehearsal import programs
from tests.rehearsal.copies import change, copy, rehearse
from tests.rehearsal.programs import Made
from tests.rehearsal.searching import Search
from tests.rehearsal.witnessing import Witnessed, witness
from tests.whole import deployed

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS: Final = Path(__file__).parent / "jobs"
PLANTED: Final = 'cR7"vN+2xK/9 pQ4zT8'
"""With what each form of writing has its own way for."""
EXPRESS: Final = "apps/express_api/__init__.py"
SCRIPT: Final = "apps/express_api/rehearsal.yaml"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_secret_is_to_be_read_anywhere(stack: str, request: pytest.FixtureRequest) -> None:
    """All five systems: a password in one line of one log is a password for whoever reads logs."""
    witnessed: Witnessed = request.getfixturevalue(f"witnessed_{stack}")
    assert witnessed.ended.code == 0, witnessed.ended.output
    assert witnessed.leaks() == {}


@pytest.mark.parametrize(
    "kind",
    [
        "API key",
        "APPLICATION_PASSWORD of a container",
        "AWS_SESSION_TOKEN of a container",
        "MASTER_PASSWORD of a container",
        "SecretAccessKey of a session of",
        "TOKEN_KEY of a container",
        "express-api: password_hash of row",
        "express-api: the password of",
        "password in express-api-",
        "password in rds!",
        "the engineer's own",
        "the key of the emulator's root",
        "the master's password of a database",
        "the token that is kept as",
    ],
)
def test_each_kind_of_secret_is_looked_for(kind: str, witnessed_dev: Witnessed) -> None:
    """One that the witness misses would be found nowhere, wherever it is."""
    assert any(each.startswith(kind) for each in witnessed_dev.secrets)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("command lines", "main.js"),
        ("definition arn:", "express-api"),
        ("deployment: outputs", "api_gateway_url"),
        ("deployment: state of urn:pulumi:dev::", "engine"),
        ("its --json", "resources"),
        ("log group /ecs/express-api", "listening"),
        ("log group /lambda/", "RequestId"),
        ("messages", "failure"),
        ("pages and refusals", "<html"),
        ("preview: notes", ""),
        ("template of ", "GenerateSecretString"),
        ("the lines of migration ", "migrated"),
        ("the log of the database at ", "ready to accept connections"),
        ("the run's emulator.log", ""),
        ("what --keep prints", "curl"),
        ("what it printed", "Policies"),
    ],
)
def test_each_place_is_looked_at(place: str, says: str, witnessed_dev: Witnessed) -> None:
    """Nothing is found in what was not read."""
    assert any(each.startswith(place) and says in text for each, text in witnessed_dev.places.items())


def test_histories_of_state_machines_are_looked_at(witnessed_prod: Witnessed) -> None:
    """They have what each state was given; dev has none."""
    histories = [text for each, text in witnessed_prod.places.items() if each.startswith("history of arn:")]
    assert any("askSubmitted" in text for text in histories)


def _no_number(project: Path) -> None:
    """Tell the service something that it cannot use: it ends, and says what, with all its secrets around."""
    change(project / EXPRESS, "str(self.settings.largest_body)", '"plenty"')


def _no_migration(project: Path) -> None:
    """Have the migration log in as a user who is not there yet."""
    change(
        project / EXPRESS,
        '_user("MASTER", database.master_secret) |',
        '_user("MASTER", lambda key: database.secret(_USER, key)) |',
    )


def _no_answer_as_expected(project: Path) -> None:
    """Expect another answer of each login, and of who comes with its token."""
    script = project / SCRIPT
    keeps = "    keep: {ada: token}\n    expect: {status: 200}\n"
    login = script.read_text().partition("  - name: a client logs in\n")[2].partition("    keep:")[0]
    change(
        script,
        keeps,
        keeps
        + "".join(
            f"\n  - name: a client logs in, and {number}\n{login}    expect: {expect}\n"
            for number, expect in enumerate(
                [
                    "{status: 201}",
                    "{status: 200, contains: [no such text]}",
                    "{status: 200, json: {token: another}}",
                    "{status: 200, json: [token]}",
                    "{status: 200, headers: {Content-Type: text/html}}",
                ]
            )
        ),
    )
    change(script, "{items: [{medicine: Ibuprofen 400 mg", "{items: [{medicine: another")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_access_logs_are_told_nothing_that_a_caller_proves_itself_by(stack: str) -> None:
    """The emulator writes none: what would be in them is what their format names."""
    stages = deployed(stack).of("apigateway/stage:Stage").values()
    settings = deployed(stack).of("apigateway/methodSettings:MethodSettings").values()
    assert stages
    assert settings
    for stage in stages:
        named = set(re.findall(r"\$[\w.-]+", stage.inputs["accessLogSettings"]["format"]))
        assert named
        assert not [each for each in named if re.search(r"apiKey$|authorizer|input|header|query", each)]
    # Which would write headers and bodies.
    assert not [each.name for each in settings if each.inputs["settings"].get("dataTraceEnabled")]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_no_number, "a whole number from 1024 to 65536 would do"),
        (_no_migration, "express-api-migration"),
        (_no_answer_as_expected, "expected status 201, got 200"),
    ],
)
def test_no_secret_is_in_what_a_failure_tells(spoil: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    """An error quotes what went wrong, and somebody pastes it into a chat."""
    project = copy(tmp_path / "project", only="express-api")
    script = project / SCRIPT
    # Half of the time goes into new versions, which are not what fails here.
    script.write_text(re.sub(r"^replacements:\n(?:[ #-].*\n|\n)*", "", script.read_text(), flags=re.MULTILINE))
    spoil(project)
    failed = witness(tmp_path, project)
    assert failed.ended.code == 1, failed.ended.output
    assert told in "\n".join(failed.ended.errors)
    assert failed.leaks() == {}


def test_a_policy_that_refuses_quotes_no_secret(tmp_path: Path) -> None:
    """A rule is given secrets in plain text."""
    project = copy(tmp_path / "project", only="query-service")
    with (project / "__main__.py").open("a") as program:
        program.write(
            f"""
import json, pulumi, pulumi_aws as aws
secret = pulumi.Output.secret({PLANTED!r})
options = pulumi.ResourceOptions(provider=aws.Provider("other", region="ap-southeast-1"))
role = aws.iam.Role("other", assume_role_policy="{{}}", description=secret, tags={{"Token": secret}}, opts=options)
may = {{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {{"StringEquals": {{"aws:userid": secret}}}}}}
policy = pulumi.Output.json_dumps({{"Version": "2012-10-17", "Statement": [may]}})
aws.iam.RolePolicy("other", role=role.name, policy=policy, opts=options)
placed = {{"subnets": ["subnet-0"], "assign_public_ip": True}}
aws.ecs.Service("other", network_configuration=placed, tags={{"Token": secret}}, opts=options)
"""
        )
    file = tmp_path / "result.json"
    ended = rehearse("preview", project, "--stack", "dev", json_file=file)
    assert ended.code == 1, ended.output
    assert {each["pack"] for each in ended.result["policies"]} == {"least-privilege", "private-network", "tags"}
    assert Search({"planted": PLANTED}).found(ended.output + file.read_text()) == set()


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Witnessed:
    """A small stack that tells its secrets wherever it can."""
    folder = tmp_path_factory.mktemp("leaking")
    project = shutil.copytree(JOBS, folder / "project")
    with (project / "__main__.py").open("a") as program:
        program.write(
            f"""
value = {PLANTED!r}
kept = aws.secretsmanager.Secret("kept", tags={{"Value": value.encode().hex()}}, opts=opts)
aws.secretsmanager.SecretVersion("kept", secret_id=kept.id, secret_string=pulumi.Output.secret(value), opts=opts)
pulumi.export("value", value)
pulumi.export("hidden", pulumi.Output.secret(value))
"""
        )
    change(
        project / "apps/etl/service/main.py",
        "job = sys.argv[1]\n",
        "job = sys.argv[1]\n"
        "import base64, subprocess\n"
        'key = os.environ["AWS_SECRET_ACCESS_KEY"]\n'
        "print(base64.b64encode(('user:' + key).encode()).decode())\n"
        'Path(os.environ["DATA_DIR"], "note").write_text(key)\n'
        'subprocess.run(["sh", "-c", "sleep 1; true " + key])\n',
    )
    return witness(folder, project)


@pytest.mark.parametrize(
    "place",
    [
        "command lines",
        "deployment: outputs",
        "deployment: state of urn:pulumi:dev::jobs::jobs:index:Etl$aws:secretsmanager/secret:Secret::kept",
        "its --json",
        "log group ",
        "the lines of etl ",
        "the run's file-systems/",
        "what it printed",
    ],
)
def test_a_secret_that_is_told_is_found_where_it_is(place: str, leaking: Witnessed) -> None:
    """Else there is nothing to what is not found."""
    assert any(each.startswith(place) for each in leaking.leaks())


def test_what_is_marked_as_a_secret_is_in_no_state(leaking: Witnessed) -> None:
    """The engine encrypts it."""
    version = "aws:secretsmanager/secretVersion:SecretVersion::kept"
    assert any(each.endswith(version) for each in leaking.places)
    assert not any(each.endswith(version) for each in leaking.leaks())
    assert leaking.ended.result["outputs"]["hidden"] == "[secret]"


def test_what_the_provider_takes_for_a_secret_is_one_in_the_outputs(tmp_path: Path) -> None:
    """An API key's value is in the state all the same: nothing but the mark keeps it out of what is printed."""
    maker = Made(lambda resource: Answer(id="key", outputs={"value": PLANTED}) if resource.name == "key" else None)
    source = """
        key = aws.apigateway.ApiKey("key", opts=options)
        pulumi.export("value", key.value)
        pulumi.export("header", pulumi.Output.concat("X-Api-Key: ", key.value))
    """
    result = programs.run(tmp_path, source, maker=maker)
    assert result.error is None, result.error
    assert result.secret_outputs == {"value", "header"}
