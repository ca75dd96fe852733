"""What the image is made of, as far as that can be seen without building it."""

from __future__ import annotations

import json
import re

from tests.apps.express_api.databases import API


def test_the_image_runs_without_root_or_shell() -> None:
    """A name would do for Docker, but ECS and scanners can tell only a number from root; a shell eats SIGTERM."""
    dockerfile = (API / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE) == ['["node", "main.js"]']
    assert "ENTRYPOINT" not in dockerfile, "a task's command is the whole command"


def test_the_image_has_all_that_is_run_and_nothing_else() -> None:
    """What is ignored is not copied, and a migration that is not there is not missed until a table is."""
    ignored = (API / ".dockerignore").read_text().splitlines()
    assert ignored == ["*", "!*.js", "!migrations", "!package.json", "!package-lock.json", "!.npmrc"]
    dockerfile = (API / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if line.startswith("COPY ")]
    assert [each for each in copied if "package-lock.json" not in each] == [
        ["--from=build", "/app/node_modules"], ["migrations"], ["package.json", "*.js"],
    ]  # fmt: skip
    assert not list(API.glob("*.mjs")) + list(API.glob("*.cjs"))


def test_the_image_knows_who_signs_the_databases_certificates() -> None:
    """RDS's authorities are in no store of the system's or of Node's."""
    dockerfile = (API / "Dockerfile").read_text()
    added = re.findall(r"^ADD --chmod=444 (\S+) (\S+)$", dockerfile, re.MULTILINE)
    bundle = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
    assert added == [(bundle, "./rds-authorities.pem")]
    assert re.findall(r"^ENV DATABASE_CA=(.*)$", dockerfile, re.MULTILINE) == ["/app/rds-authorities.pem"]


def test_its_packages_are_few_and_locked_whole_and_name_no_registry() -> None:
    """`npm ci` installs what was tested, from wherever the installer gets its packages."""
    said = json.loads((API / "package.json").read_text())
    assert set(said["dependencies"]) == {"express", "jose", "pg"}
    locked = json.loads((API / "package-lock.json").read_text())["packages"]
    for name, wanted in said["dependencies"].items():
        assert wanted == locked[f"node_modules/{name}"]["version"], "a range would be another API tomorrow"
    own = locked.pop("")
    assert own["dependencies"] == said["dependencies"]
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
    assert not any("resolved" in package for package in locked.values())
    assert not any(package.get("hasInstallScript") for package in locked.values()), "the image runs none"


def test_it_needs_a_node_that_has_not_reached_its_end_of_life() -> None:
    assert json.loads((API / "package.json").read_text())["engines"] == {"node": ">=20"}
    assert (API / "Dockerfile").read_text().count("FROM node:24-slim") == 2


def test_a_migration_is_one_transaction_and_says_nothing_of_it() -> None:
    """A COMMIT in it would leave its first half behind when the second fails."""
    for path in (API / "migrations").iterdir():
        assert not re.search(r"\b(BEGIN|COMMIT|ROLLBACK|CONCURRENTLY)\b", path.read_text(), re.IGNORECASE), path.name
