"""Logs are kept as long as CloudWatch can, and what happens when it is slow is always said."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from components.errors import InvalidArgsError
from components.logs import RETENTION_DAYS, Logs


def test_each_retention_is_one_that_cloudwatch_names() -> None:
    """Judge: the text of botocore's model, which has them in words alone."""
    model = botocore.session.get_session().get_service_model("logs")
    text = model.shape_for("PutRetentionPolicyRequest").members["retentionInDays"].documentation
    words = text.replace(",", " ").replace(".", " ").replace("<", " ").split()
    assert {int(word) for word in words if word.isdigit()} == set(RETENTION_DAYS)


def test_a_service_that_answers_beats_a_full_log() -> None:
    """ECS changed its own default in 2025: an unsaid mode is one thing or the other."""
    assert Logs().options("/ecs/shop", "eu-west-1", "ecs") == {
        "awslogs-group": "/ecs/shop",
        "awslogs-region": "eu-west-1",
        "awslogs-stream-prefix": "ecs",
        "mode": "non-blocking",
        "max-buffer-size": "25m",
    }


def test_a_blocking_log_has_no_buffer() -> None:
    """ECS refuses the pair."""
    said = Logs(mode="blocking").options("/ecs/shop", "eu-west-1", "ecs")
    assert said["mode"] == "blocking"
    assert "max-buffer-size" not in said


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"retention_days": 31}, "Logs.retention_days: got 31; one of 1, 3, 5, 7"),
        ({"retention_days": 0}, "Logs.retention_days: got 0"),
        ({"mode": "async"}, "Logs.mode: got 'async'; one of 'non-blocking', 'blocking'"),
        ({"buffer_mib": 0}, "Logs.buffer_mib: got 0; a whole number from 1 to 500 MiB"),
        ({"buffer_mib": 501}, "Logs.buffer_mib: got 501"),
    ],
)
def test_what_cloudwatch_has_not_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        Logs(**said)
    assert message in str(refused.value)
