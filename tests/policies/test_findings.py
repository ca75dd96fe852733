"""Exceptions are reported, bounded in time, and never wider than they say."""

from __future__ import annotations

from datetime import date

from policies.findings import Exemption, Finding, Ledger

FINDING = Finding(rule="public-ip", urn="urn:pulumi:dev::drydock::aws:ecs/service:Service::shop", message="is public")
EXCEPTION = Exemption(rule="public-ip", resource="shop", reason="a demonstration", until=date(2030, 1, 31))
UNPROVED = Finding(rule="public-ip", urn=FINDING.urn, message="is not known", unproved=True)


def ledger(*exceptions: Exemption, today: date = date(2030, 1, 1), **more: object) -> Ledger:
    return Ledger(exceptions=exceptions, today=today, **more)  # pyright: ignore[reportArgumentType]


def test_without_an_exception_a_finding_is_a_violation() -> None:
    assert ledger().violation(FINDING) == "public-ip: is public"


def test_an_excepted_finding_becomes_a_note_with_reason_and_end() -> None:
    """An exception that nobody sees is a hole."""
    book = ledger(EXCEPTION)
    assert book.violation(FINDING) is None
    assert book.close() == [
        ("excepted until 2030-01-31 (a demonstration): public-ip: is public", FINDING.urn),
    ]


def test_an_exception_holds_on_its_last_day_and_no_longer() -> None:
    assert ledger(EXCEPTION, today=date(2030, 1, 31)).violation(FINDING) is None
    ended = ledger(EXCEPTION, today=date(2030, 2, 1)).violation(FINDING)
    assert ended
    assert "ended on 2030-01-31: a demonstration" in ended


def test_an_exception_covers_its_own_rule_and_resource_alone() -> None:
    other_rule = Exemption(rule="private-subnet", resource="shop", reason="r", until=EXCEPTION.until)
    other_name = Exemption(rule="public-ip", resource="shop-2", reason="r", until=EXCEPTION.until)
    assert ledger(other_rule, other_name).violation(FINDING)


def test_a_star_stands_for_any_text() -> None:
    starred = Exemption(rule="public-ip", resource="urn:*:Service::sh*", reason="r", until=EXCEPTION.until)
    assert ledger(starred).violation(FINDING) is None


def test_an_exception_that_nothing_needs_is_told() -> None:
    """It would otherwise wait for the day when it hides something."""
    assert "not needed" in ledger(EXCEPTION).close()[0][0]


def test_what_is_not_proved_is_refused_unless_the_stack_says_report() -> None:
    assert ledger().violation(UNPROVED)
    book = ledger(on_unknown="report")
    assert book.violation(UNPROVED) is None
    assert book.close() == [("not proved: public-ip: is not known", FINDING.urn)]


def test_report_does_not_excuse_what_is_wrong() -> None:
    assert ledger(on_unknown="report").violation(FINDING)


def test_each_run_begins_anew() -> None:
    book = ledger(EXCEPTION)
    book.violation(FINDING)
    book.close()
    assert "not needed" in book.close()[0][0]
