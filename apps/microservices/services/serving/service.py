"""What a service is made of. Each folder beside this one that has a `service.py` is a service, and says so there."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serving.environment import Environment, Storage
    from serving.messages import Request, Response

_FOLDER: Final = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request on its route."""

    request: Request
    parts: Mapping[str, str]
    """What stands in the path for each name in braces, percent-decoded."""
    query: Mapping[str, str]
    """Of the names that the route knows; each came once."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One thing that may be done."""

    method: str
    path: str
    """Behind the base path: empty, or such as `/days/{day}`. What is in braces is one segment, whatever it says. Where
    two paths fit, the one that is listed first is meant."""
    handle: Callable[[Asked], Response]
    """Called on a thread; several at once."""
    query: Sequence[str] = ()
    """The names that its query may have."""
    content_type: str | None = None
    """What its body must be, in UTF-8. Default: a body says nothing."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service, as its folder's `service.py` has it under the name `SERVICE`."""

    storage: Storage
    """Where its data is kept: the variable that names its table or its bucket."""
    connect: Callable[[Environment], Sequence[Route]]
    """Makes the clients, and of them the routes. Called once, on a thread: what is slow to import belongs in here."""
    largest_body: int = 256 * 1024
    """Bytes that a request's body may have. By default, enough for 20 000 characters however JSON writes them."""


def names() -> list[str]:
    """Return the services there are."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/service.py") if path.parent.name != "serving")


def find(name: str) -> Service:
    """Return the service *name*.

    Raises:
        LookupError: there is none, with those that there are.

    """
    if name not in names():
        raise LookupError(f"there is no service {name!r}: {', '.join(names())} would do")
    found: Service = importlib.import_module(f"{name}.service").SERVICE
    return found
