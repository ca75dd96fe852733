"""The container's process: one run of a job, or both jobs by the clock.

    python main.py sync-availability    the spaces left in each car park, which change every few minutes
    python main.py sync-parking         the car parks themselves, which change every few days
    python main.py cron                 both, in the foreground, until SIGTERM

Each run writes its log as JSON lines, the last of which is its summary: `job`, `outcome`, `exit_code`, what was
`fetched`, `inserted`, `changed`, `unchanged`, `rejected` and `gone`, `pages`, `retries` and `seconds`. `exits` has the
exit codes, `environment` the settings, `store` what is written.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from environment import EnvironmentFaultError, read
from exits import Exit
from job import JOBS, run
from journal import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence

CRON = "cron"


def main(arguments: Sequence[str]) -> Exit:
    """Do what *arguments* say, and return how it ended."""
    journal = Journal()
    match arguments:
        case [command] if command in (*JOBS, CRON):
            pass
        case _:
            commands = ", ".join((*JOBS, CRON))
            journal.error(f"the command is {' '.join(arguments)!r}: one of {commands} would do")
            return Exit.USAGE
    try:
        environment = read(os.environ)
    except EnvironmentFaultError as error:
        journal.error(f"the environment cannot be used: {error}", variables=[fault.fields for fault in error.faults])
        return Exit.SETTINGS
    if command == CRON:
        from cron import keep  # noqa: PLC0415 -- a run that finds the database busy loads nothing that it does not need

        return keep(environment, journal)
    return run(command, environment, journal.bind(job=command))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
