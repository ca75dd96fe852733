"""What ECS does with a new version of a service: healthy, it takes the old one's place; else the old one stays."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.containers.rolled import Rolled

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterator

    from tests.rehearsal.containers.conftest import Site

CHECK = {"interval": 5, "timeout": 2, "retries": 1}
FAILING = {"healthCheck": {**CHECK, "command": ["CMD-SHELL", "exit 1"]}}
OURS = (
    "draining.route_to_the_healthy",
    "draining.drain_before_stopping",
    "rollouts.complete_when_healthy",
    "rollouts.fail_at_an_alarm",
    "rollouts.tell_of_deployments",
)


@pytest.fixture(scope="module")
def bare() -> Iterator[Site]:
    """An emulator that rolls versions out as it pleases."""
    from tests.rehearsal.containers.conftest import _open  # noqa: PLC0415

    with _open(*OURS) as opened:
        yield opened


def test_a_new_version_takes_the_old_ones_place_and_no_request_fails(site: Site) -> None:
    """One sent too early to the new task, or under way in the old one as it ends, would be lost."""
    service = Rolled(site)
    wanted = service.define(("BOOTS_FOR", "1"))
    seen: list[Any] = []

    def replace() -> None:
        service.update(wanted)
        seen.append(service.verdict(wanted, within=0))
        seen.append(service.verdict(wanted))
        time.sleep(0.5)

    statuses = service.under_load(replace)
    assert [each.reason for each in seen] == ["not over after 0 s", ""]
    assert seen[1].state == "completed"
    assert set(statuses) == {200}
    assert len(statuses) > 50
    assert service.statuses() == ["SUCCESSFUL", "SUCCESSFUL"]


def test_what_is_under_way_in_the_old_version_is_answered_by_it(site: Site) -> None:
    """It stops at once when told, so it may only be told when all is answered."""
    service = Rolled(site)
    wanted = service.define(("VERSION", "2"))
    statuses = service.under_load(lambda: service.verdict(service.update(wanted)) and time.sleep(1), "/slow")
    assert set(statuses) == {200}
    family = service.first.rpartition("/")[2].partition(":")[0]
    (old,) = [each for each in site.containers.all() if family in each.labels.values()]
    assert old.wait(5) == 0


def test_without_the_corrections_requests_are_lost(bare: Site) -> None:
    """The emulator sends requests to what does not listen yet, and ends what has not answered yet."""
    service = Rolled(bare)
    wanted = service.define(("BOOTS_FOR", "1"))
    statuses = service.under_load(lambda: service.update(wanted) and time.sleep(4), "/slow")
    assert set(statuses) > {200}
    assert "SUCCESSFUL" not in service.statuses()


def test_without_them_a_version_that_never_listens_is_completed(bare: Site) -> None:
    service = Rolled(bare)
    assert service.verdict(service.update(service.define(("BOOTS_FOR", "60")))).state == "completed"


def test_a_version_that_fails_is_rolled_back_with_the_reason(site: Site) -> None:
    """Whatever is wrong with it: without the reason nobody knows where to look."""
    ways: dict[str, dict[str, Any]] = {
        "Essential container in task exited; web ended with 3": {"command": ["sh", "-c", "exit 3"]},
        "Task failed container health checks": FAILING,
        "Task failed ELB health checks in (target-group ": {"environment": [{"name": "PORT", "value": "9090"}]},
        "ResourceInitializationError: unable to pull image": {"image": site.image.replace("tiny-web", "nobodys")},
    }

    def failed(reason: str) -> None:
        service = Rolled(site)
        verdict = service.verdict(service.update(service.define(**ways[reason])))
        assert verdict.state == "rolled back", str(verdict)
        assert "circuit breaker" in verdict.reason
        assert any(f"stopped: {reason}" in line for line in verdict.told), verdict.told
        assert any("deployment failed" in line for line in verdict.told)
        assert service.statuses()[0] == "ROLLBACK_SUCCESSFUL"
        assert service.get()[0] == 200
        # The next question, after a run that changed nothing, has the same answer.
        assert str(service.verdict(verdict.wanted)).partition(":")[0] == str(verdict).partition(":")[0]

    with ThreadPoolExecutor(len(ways)) as at_once:
        list(at_once.map(failed, ways))


def test_without_rollback_it_has_failed_and_the_old_version_goes_on(site: Site) -> None:
    service = Rolled(site, rollback=False)
    verdict = service.verdict(service.update(service.define(command=["sh", "-c", "exit 3"])))
    assert (verdict.state, service.statuses()[0]) == ("failed", "STOPPED")
    assert "circuit breaker" in verdict.reason
    assert service.get()[0] == 200


@pytest.mark.parametrize("before", [False, True])
def test_an_alarm_rolls_back_unless_it_was_on_before(before: bool, site: Site) -> None:  # noqa: FBT001
    """One that was on already would keep the version out that is to mend it."""
    cloudwatch, alarm = site.aws.client("cloudwatch"), f"errors-{uuid.uuid4().hex[:8]}"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm, Namespace="shop", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip

    def goes_off() -> None:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="for a test")

    service = Rolled(site, alarms={"alarmNames": [alarm], "enable": True, "rollback": True})
    if before:
        goes_off()
    wanted = service.update(service.define(("VERSION", "2")))
    if not before:
        goes_off()
    verdict = service.verdict(wanted)
    assert verdict.state == ("completed" if before else "rolled back")
    assert before or f"alarm detected: {alarm}" in verdict.reason
    assert service.get()[0] == 200


def test_a_version_waits_out_its_alarms(open_site: Callable[..., contextlib.AbstractContextManager[Site]]) -> None:
    """Without the correction an alarm goes off and nobody looks."""
    with open_site("rollouts.fail_at_an_alarm") as site:
        test_an_alarm = test_an_alarm_rolls_back_unless_it_was_on_before
        with pytest.raises(AssertionError, match="rolled back"):
            test_an_alarm(False, site)  # noqa: FBT003
