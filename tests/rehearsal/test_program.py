"""A program runs as the CLI's language host would run it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pulumi.runtime.rpc import UNKNOWN

from rehearsal import program
from tests.rehearsal.programs import Made, named, refusal, run, write

if TYPE_CHECKING:
    from rehearsal.graph import Registered

QUEUE_AND_TOPIC = """
    topic = aws.sns.Topic("alerts", display_name="Alerts", opts=options)
    aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="a@example.com", opts=options)
    pulumi.export("topic", topic.arn)
    pulumi.export("token", pulumi.Output.secret("hidden"))
"""


def test_a_preview_knows_what_was_given_and_nothing_that_is_computed(tmp_path: Path) -> None:
    """Were an ARN known at preview, policies and programs would be tried on values that the engine has not."""
    result = run(tmp_path, QUEUE_AND_TOPIC, preview=True)
    topic, mail = named(result, "alerts"), named(result, "mail")
    assert result.error is None
    assert topic.id == ""
    assert topic.outputs["displayName"] == "Alerts"
    assert "arn" not in topic.outputs
    assert mail.inputs == {"topic": UNKNOWN, "protocol": "email", "endpoint": "a@example.com"}
    assert result.outputs == {"topic": UNKNOWN, "token": "hidden"}


def test_nothing_is_made_in_a_preview(tmp_path: Path) -> None:
    maker = Made()
    run(tmp_path, QUEUE_AND_TOPIC, preview=True, maker=maker)
    assert maker.made == []


def test_a_program_runs_as_a_preview_and_then_for_real_and_again_in_one_process(tmp_path: Path) -> None:
    """State that the SDK keeps from an earlier run would show as a hang, a doubled stack or lost exports."""
    write(tmp_path, QUEUE_AND_TOPIC)
    results = [program.run(tmp_path, "dev", preview=preview, maker=Made()) for preview in (True, False, True, False)]
    assert [result.error for result in results] == [None] * 4
    assert [result.outputs["topic"] == UNKNOWN for result in results] == [True, False, True, False]
    assert [len(result.graph) for result in results] == [3] * 4


def test_the_exports_say_which_of_them_are_secret(tmp_path: Path) -> None:
    result = run(tmp_path, QUEUE_AND_TOPIC)
    assert result.outputs == {"topic": "arn:aws:x:eu-west-1:123456789012:alerts", "token": "hidden"}
    assert result.secret_outputs == {"token"}


def test_the_projects_modules_are_imported_anew_for_each_run(tmp_path: Path) -> None:
    """The engine starts a new process each time: what a module gathers must not reach the next run."""
    source = "import counted\ncounted.seen.append(1)\npulumi.export('seen', len(counted.seen))"
    for _ in range(2):
        assert run(tmp_path, source, counted="seen = []").outputs == {"seen": 1}
    assert "counted" not in sys.modules


def test_a_run_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    before = (Path.cwd(), list(sys.path), list(sys.argv), dict(os.environ), set(sys.modules))
    run(tmp_path, "import more\npulumi.export('cwd', __import__('os').getcwd())", more="")
    assert (Path.cwd(), sys.path, sys.argv, dict(os.environ)) == before[:4]
    assert "more" not in set(sys.modules) - before[4]


def test_a_program_works_in_its_own_folder(tmp_path: Path) -> None:
    """A relative path in a program starts from the project's folder, whatever the rehearsal was started in."""
    result = run(tmp_path, "import pathlib\npulumi.export('here', pathlib.Path('Pulumi.yaml').read_text())")
    assert result.outputs["here"].startswith("name: shop")


def test_an_asynchronous_program_runs_too(tmp_path: Path) -> None:
    source = """
        async def main():
            topic = aws.sns.Topic("alerts", opts=options)
            return {"topic": topic.arn}
        pulumi.run(main)
    """
    assert run(tmp_path, source).outputs == {"topic": "arn:aws:x:eu-west-1:123456789012:alerts"}


def test_a_users_mistake_is_told_without_a_traceback_and_nothing_is_made(tmp_path: Path) -> None:
    maker = Made()
    source = "aws.sns.Topic('alerts', opts=options)\nraise pulumi.RunError('size: got 3; 256 would do')"
    assert refusal(run(tmp_path, source, maker=maker)) == "size: got 3; 256 would do"
    assert maker.made == []


def test_a_broken_program_is_told_with_its_own_frames_alone(tmp_path: Path) -> None:
    result = run(tmp_path, "import helper\nhelper.divide()", helper="def divide():\n    return 1 / 0\n")
    assert result.error is not None
    assert result.error.message == "the program broke: helper.py:2: ZeroDivisionError: division by zero"
    assert "__main__.py" in result.error.traceback
    assert "runpy" not in result.error.traceback


def test_a_program_that_breaks_in_an_apply_is_told_too(tmp_path: Path) -> None:
    """An apply's error comes out of the event loop, long after the program's last line."""
    source = "topic = aws.sns.Topic('alerts', opts=options)\ntopic.name.apply(lambda name: name.absent)"
    result = run(tmp_path, source)
    assert result.error is not None
    assert "'str' object has no attribute 'absent'" in result.error.message


def test_a_program_that_exits_has_failed(tmp_path: Path) -> None:
    result = run(tmp_path, "raise SystemExit('no')")
    assert result.error is not None
    assert "SystemExit: no" in result.error.message


def test_an_output_made_into_text_is_an_error(tmp_path: Path) -> None:
    """The engine only warns of it, and the name of a resource is then a sentence of English."""
    result = run(tmp_path, "topic = aws.sns.Topic('a', opts=options)\npulumi.export('x', f'{topic.arn}')")
    assert result.error is not None
    assert "Calling __str__ on an Output[T] is not supported" in result.error.message


def test_what_the_program_says_is_kept(tmp_path: Path) -> None:
    source = "import warnings\npulumi.log.info('one')\npulumi.log.warn('two')\nwarnings.warn('three')"
    log = run(tmp_path, source).log
    assert log[:2] == [("info", "one"), ("warning", "two")]
    assert log[2][1].endswith(": three")


def test_a_stack_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, "")
    message = refusal(program.run(tmp_path, "prod", preview=True, maker=Made()))
    assert message == "stack 'prod': there is no Pulumi.prod.yaml; stacks here: dev"


def test_a_stand_in_that_breaks_is_told_as_that_and_not_as_the_programs_fault(tmp_path: Path) -> None:
    def make(resource: Registered) -> None:
        if resource.name == "alerts":
            raise KeyError("TopicArn")

    result = run(tmp_path, "aws.sns.Topic('alerts', opts=options)", maker=Made(make))
    assert result.error is not None
    assert result.error.message == "aws:sns/topic:Topic 'alerts': its stand-in broke: KeyError('TopicArn')"
    assert "in make" in result.error.traceback


def test_an_interrupt_ends_the_run_and_nothing_more_is_made(tmp_path: Path) -> None:
    """Ctrl-C is to reach whoever started the run, once no registration is under way."""

    def make(resource: Registered) -> None:
        if resource.name == "first":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    maker = Made(make)
    source = "first = aws.sns.Topic('first', opts=options)\naws.sns.Topic('b', display_name=first.arn, opts=options)"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, source, maker=maker)
    assert maker.made == ["aws", "first"]


def test_progress_is_told_as_resources_are_made(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []

    def start(resource: Registered) -> None:
        told.append(("start", resource.name))

    def done(resource: Registered) -> None:
        told.append(("done", resource.name))

    write(tmp_path, "aws.sns.Topic('alerts', opts=options)")
    program.run(tmp_path, "dev", preview=False, maker=Made(), on_start=start, on_done=done)
    assert told == [("start", "aws"), ("done", "aws"), ("start", "alerts"), ("done", "alerts")]
