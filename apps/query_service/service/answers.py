"""How a question is answered: from the table, else from the private API, else from the function itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import aws
from faults import RefusalError
from sources import Function, PrivateApi, UnusableError
from store import Store, TooLargeError

if TYPE_CHECKING:
    from call import Call
    from environment import Environment
    from question import Question


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A user's newest rows."""

    rows: list[Any]
    source: Literal["table", "api", "function"]
    expires_at: int | None
    """Until when it is kept, in epoch seconds; None where it could not be kept, or a newer one is."""


class Answers:
    """The service's one job. Safe for several threads at once, as its clients are."""

    def __init__(self, store: Store, api: PrivateApi, function: Function) -> None:
        self._store = store
        self._api = api
        self._function = function

    def find(self, question: Question, call: Call) -> Answer:
        """Answer *question*.

        The table is a help, not a need: without it the answer is asked for anew, and the log says why.

        Raises:
            RefusalError: 400 from a source, or 502 where no source has an answer.
            DeadlineError: no time is left.

        """
        call.deadline.left()
        try:
            kept = self._store.read(question)
        except aws.AWS_ERRORS as error:
            call.journal.error("the table cannot be read", **aws.words(error))
            kept = None
        if kept:
            return Answer(rows=kept.rows, source="table", expires_at=kept.expires_at)
        asked_at = self._store.now()
        rows, source = self._ask(question, call)
        try:
            # Late or not: whoever was told that time is up will ask again.
            expires_at = self._store.keep(question, rows, asked_at)
        except (*aws.AWS_ERRORS, TooLargeError) as error:
            call.journal.error("the answer cannot be kept", **aws.words(error))
            expires_at = None
        return Answer(rows=rows, source=source, expires_at=expires_at)

    def drop(self, user_id: str, call: Call) -> bool:
        """Drop the answer kept for a user; False where none was kept.

        Raises:
            RefusalError: 502, where the table refuses: an answer that may still be there is not called dropped.
            DeadlineError: no time is left.

        """
        call.deadline.left()
        try:
            return self._store.drop(user_id)
        except aws.AWS_ERRORS as error:
            call.journal.error("the answer cannot be dropped", **aws.words(error))
            raise RefusalError(502, "the answer could not be dropped: try again") from error

    def _ask(self, question: Question, call: Call) -> tuple[list[Any], Literal["api", "function"]]:
        try:
            return self._api.ask(question, call.request_id, call.deadline), "api"
        except UnusableError as error:
            call.journal.warning("the private API gave no answer: the function is asked", **error.words)
        try:
            return self._function.ask(question, call.request_id, call.deadline), "function"
        except UnusableError as error:
            call.journal.error("the function gave no answer either", **error.words)
            raise RefusalError(502, "no source could answer: try again later") from error


def connect(environment: Environment, connections: int) -> Answers:
    """Make the clients; nothing is sent yet. *connections* is how many requests run at once."""
    seconds = environment.request_timeout
    return Answers(
        Store(aws.dynamodb(seconds, connections), environment.table_name),
        PrivateApi(environment.internal_api_url, connections),
        Function(aws.functions(seconds, connections), environment.function_name),
    )
