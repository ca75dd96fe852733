"""How a run ends: the exit codes, and the errors that carry them.

| code | outcome | what it says | what to do |
|---|---|---|---|
| 0 | done | the database holds what the source does | nothing |
| 64 | usage | no such command | correct the command |
| 65 | bad-data | the source answered, and what it said is unusable | look at the log; the rows kept before stay |
| 69 | unavailable | the source did not answer, or the run was not done within `DEADLINE` | the next run mends it |
| 70 | fault | a fault of this program; the log has the traceback | correct the program |
| 74 | storage | the file system or the database refused | look at the mount: rights, room, a newer schema |
| 75 | busy | another run has the database; nothing was changed | nothing, unless it lasts |
| 78 | settings | a variable of the environment will not do | correct the variable |
| 143 | stopped | SIGTERM (or SIGINT) came before the end | the next run mends it |

After every code but 0 and 75 some pages may be kept and others not: each page is a transaction, and the next run that
is done leaves what an undisturbed one would have. A process that the kernel kills ends with 137, and is mended
likewise. The numbers are those of BSD's sysexits.h, and for a signal those of the shell.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """How a run ended; the value is the process's exit code."""

    DONE = 0
    USAGE = 64
    BAD_DATA = 65
    UNAVAILABLE = 69
    FAULT = 70
    STORAGE = 74
    BUSY = 75
    SETTINGS = 78
    STOPPED = 143

    @property
    def outcome(self) -> str:
        """Its name, as logs have it."""
        return self.name.lower().replace("_", "-")


class RunError(Exception):
    """A run that ends before its end; the message is for the log."""

    exit: ClassVar[Exit]


class BadDataError(RunError):
    """The source answered, and what it said is unusable."""

    exit = Exit.BAD_DATA


class UnavailableError(RunError):
    """The source did not answer, or there was no time left."""

    exit = Exit.UNAVAILABLE


class StorageError(RunError):
    """The file system or the database refused."""

    exit = Exit.STORAGE


class BusyError(RunError):
    """Another run has the database."""

    exit = Exit.BUSY
