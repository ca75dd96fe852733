"""A database is a record: the emulator starts no server of its own beside the one that a rehearsal stands behind it."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rehearsal.containers.conftest import Site


def state(site: Site) -> str:
    """Make a database, and return what becomes of it."""
    rds, name = site.aws.client("rds"), f"data-{uuid.uuid4().hex[:8]}"
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="master",
        MasterUserPassword="never-connected",
    )
    deadline = time.monotonic() + 10
    while True:
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        if found["DBInstanceStatus"] != "creating" or time.monotonic() > deadline:
            return str(found["DBInstanceStatus"])
        time.sleep(0.1)


def test_a_database_is_there_though_no_image_is_started_for_it(site: Site) -> None:
    assert state(site) == "available"


def test_without_the_correction_it_hangs_on_an_image_that_nobody_has(bare: Site) -> None:
    """The endpoint that runs tasks is asked for PostgreSQL's, and knows the workloads' alone."""
    assert state(bare) != "available"
