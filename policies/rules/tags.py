"""Required tags on everything taggable, and on what runs: tasks, instances, volumes."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from policies.findings import Finding, about
from policies.pack import Pack
from policies.reading import Absent, Known, Tree, Unknown, listed, read
from policies.rules import taggable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from policies.configuration import Given
    from policies.resources import Resource

SERVICE: Final = "aws:ecs/service:Service"
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
GROUP: Final = "aws:autoscaling/group:Group"
CAPACITY_PROVIDER: Final = "aws:ecs/capacityProvider:CapacityProvider"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"

REQUIRED: Final = ("Project", "Environment", "Owner", "CostCenter", "Service", "ManagedBy")
PATTERNS: Final = {
    "Project": r"[a-z][a-z0-9-]*",
    "Environment": r"[a-z][a-z0-9-]*",
    "Owner": r"\S.*",
    "CostCenter": r"[A-Za-z0-9][A-Za-z0-9_-]*",
    "Service": r"[a-z][a-z0-9-]*",
    "ManagedBy": r"(?i:pulumi)",
}
# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html (and botocore's Tag shapes)
MOST_TAGS: Final = 50
LONGEST_KEY: Final = 128
LONGEST_VALUE: Final = 256
_ALLOWED = re.compile(r"[\w\s.:/=+\-@]*")

RULES: Final = frozenset(
    {
        "required-tag",
        "tag-value",
        "tag-key",
        "tag-count",
        "tag-twins",
        "task-tags",
        "instance-tags",
        "launch-template-tags",
    }
)

Tags = dict[str, Tree]


@dataclass(frozen=True, kw_only=True)
class TagOptions:
    """What a stack's configuration of this pack may say."""

    required: tuple[str, ...] = REQUIRED
    """Keys that every taggable resource carries."""
    patterns: Mapping[str, str] = field(default_factory=lambda: PATTERNS)
    """Key → regular expression that the whole value matches."""
    taggable: frozenset[str] = field(default_factory=taggable.load)
    """Types held to it; any other that comes with `tagsAll` is newer than the table, and held to it too."""
    exempt: frozenset[str] = frozenset()
    """Types not held to it."""

    @classmethod
    def read(cls, given: Given) -> TagOptions:
        """Read `required`, `patterns`, `alsoTaggable` and `notTaggable`."""
        return cls(
            required=given.strings("required", REQUIRED),
            patterns=given.patterns("patterns", PATTERNS),
            taggable=taggable.load() | set(given.strings("alsoTaggable")),
            exempt=frozenset(given.strings("notTaggable")),
        )


SCHEMA: Final = {
    "required": {"type": "array", "items": {"type": "string"}, "description": "Keys every taggable resource carries."},
    "patterns": {"type": "object", "description": "Key → regular expression for the whole value."},
    "alsoTaggable": {"type": "array", "items": {"type": "string"}, "description": "Types to hold to it besides."},
    "notTaggable": {"type": "array", "items": {"type": "string"}, "description": "Types not to hold to it."},
}


def judge(resource: Resource, _seen: Mapping[str, Resource], options: TagOptions) -> Iterator[Finding]:
    """Everything wrong with the tags of one resource."""
    takes_tags = resource.type in options.taggable or "tagsAll" in resource.inputs
    if takes_tags and resource.type not in options.exempt:
        yield from _own_tags(resource, options)
    if special := _CARRIERS.get(resource.type):
        yield from special(resource, options)


def _own_tags(resource: Resource, options: TagOptions) -> Iterator[Finding]:
    match merged_tags(resource):
        case Unknown(path):
            yield about(
                "required-tag",
                resource,
                f"`{path}` is not known yet, so its tags are not proved: give tags whose keys are plain",
                unproved=True,
            )
        case Absent():
            yield from _check(resource, "tags", {}, options)
        case Known(tags):
            yield from _check(resource, "tags", cast("Tags", tags), options)


def merged_tags(resource: Resource) -> Known | Unknown | Absent:
    """The tags as AWS will see them, the provider's defaults among them.

    Check puts them in `tagsAll`, and makes all of it unknown for one unknown value: then the same merge is done here.
    """
    merged = resource.read("tagsAll")
    if isinstance(merged, Known):
        return merged
    own = resource.read("tags")
    if isinstance(own, Unknown):
        return own
    tags = _default_tags(resource) if isinstance(merged, Unknown) else {}
    if isinstance(own, Known) and isinstance(own.value, dict):
        tags |= own.value
    return Known(tags) if tags else Absent("tags")


def _default_tags(resource: Resource) -> Tags:
    defaults = resource.provider.get("defaultTags")
    if isinstance(defaults, str):  # providers are given their nested settings as JSON text
        defaults = cast("Tree", json.loads(defaults))
    tags = read(defaults, "tags")
    return dict(tags.value) if isinstance(tags, Known) and isinstance(tags.value, dict) else {}


def _check(resource: Resource, where: str, tags: Tags, options: TagOptions) -> Iterator[Finding]:
    """Every rule on one set of tags."""
    missing = [key for key in options.required if key not in tags]
    if missing:
        yield about(
            "required-tag",
            resource,
            f"`{where}` lacks {', '.join(missing)} (it has {', '.join(sorted(tags)) or 'none'}); "
            "add it to the provider's default tags or to the resource's own",
        )
    if len(tags) > MOST_TAGS:
        yield about("tag-count", resource, f"`{where}` has {len(tags)} tags; AWS takes {MOST_TAGS} at most")
    twins: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in tags.items():
        twins[key.lower()].append(key)
        yield from _check_key(resource, where, key)
        yield from _check_value(resource, f"{where}.{key}", value, options.patterns.get(key))
    for same in twins.values():
        if len(same) > 1:
            yield about(
                "tag-twins",
                resource,
                f"`{where}` has {' and '.join(sorted(same))}, alike but for case; keep one of them",
            )


def _check_key(resource: Resource, where: str, key: str) -> Iterator[Finding]:
    if key.lower().startswith("aws:"):
        yield about("tag-key", resource, f"`{where}` has {key!r}; the prefix aws: is AWS's own, so use another name")
    elif not key or len(key) > LONGEST_KEY or not _ALLOWED.fullmatch(key):
        yield about(
            "tag-key",
            resource,
            f"`{where}` has {key!r}; a key has 1 to {LONGEST_KEY} letters, digits, spaces and . : / = + - @ _",
        )


def _check_value(resource: Resource, where: str, value: Tree, pattern: str | None) -> Iterator[Finding]:
    if isinstance(value, Unknown):
        if pattern:
            yield about(
                "tag-value",
                resource,
                f"`{where}` is not known yet, so it is not proved to match {pattern!r}: give it a plain value",
                unproved=True,
            )
        return
    text = value if isinstance(value, str) else json.dumps(value)
    # Tags are no place for secrets, but the engine may have marked one: the value is not quoted.
    if len(text) > LONGEST_VALUE or not _ALLOWED.fullmatch(text):
        yield about(
            "tag-value",
            resource,
            f"`{where}` has {len(text)} characters; a value has at most {LONGEST_VALUE} letters, digits, spaces "
            "and . : / = + - @ _",
        )
    elif pattern and not re.fullmatch(pattern, text):
        yield about("tag-value", resource, f"`{where}` does not match {pattern!r}; write it so, or change `patterns`")


def _propagates(
    path: str, *allowed: str, rule_name: str = "task-tags", what: str = "tasks"
) -> Callable[[Resource, TagOptions], Iterator[Finding]]:
    """A rule that tags reach the tasks, or *what* else a resource starts, wherever *path*'s parent is given."""

    def rule(resource: Resource, _options: TagOptions) -> Iterator[Finding]:
        parent = path.rpartition(".")[0]
        if parent and isinstance(resource.read(parent), Absent):
            return  # a target that is no ECS task, instances that are not ECS's
        match resource.read(path):
            case Known(value) if value in allowed:
                return
            case Unknown():
                yield about(rule_name, resource, f"`{path}` is not known yet; give it a plain value", unproved=True)
            case Known() | Absent() as reading:
                got = json.dumps(reading.value) if isinstance(reading, Known) else "not set"
                yield about(
                    rule_name,
                    resource,
                    f"`{path}` is {got}, so running {what} carry no tags; set {' or '.join(allowed)}",
                )

    return rule


def _group(resource: Resource, options: TagOptions) -> Iterator[Finding]:
    """Default tags do not reach a group's instances: its own list does, entry by entry."""
    match resource.read("tags"):
        case Unknown(path):
            yield about(
                "instance-tags", resource, f"`{path}` is not known yet; give a plain list of tags", unproved=True
            )
        case Known() | Absent() as reading:
            entries = [
                it for it in listed(reading.value if isinstance(reading, Known) else None) if isinstance(it, dict)
            ]
            carried = {str(it.get("key")): it.get("value") for it in entries if it.get("propagateAtLaunch") is True}
            stuck = sorted(str(it.get("key")) for it in entries if it.get("propagateAtLaunch") is not True)
            if stuck:
                yield about(
                    "instance-tags",
                    resource,
                    f"`tags` {', '.join(stuck)} stay on the group; set propagateAtLaunch to true for its instances",
                )
            yield from _check(resource, "tags", carried, options)


def _launch_template(resource: Resource, options: TagOptions) -> Iterator[Finding]:
    """Default tags do not reach instances and volumes launched: the template's specifications do."""
    specifications = resource.read("tagSpecifications")
    if isinstance(specifications, Unknown):
        yield about(
            "launch-template-tags", resource, "`tagSpecifications` is not known yet; give a plain list", unproved=True
        )
        return
    given = listed(specifications.value if isinstance(specifications, Known) else None)
    by_kind = {it.get("resourceType"): it.get("tags") for it in given if isinstance(it, dict)}
    for kind in ("instance", "volume"):
        tags = by_kind.get(kind)
        if isinstance(tags, dict):
            yield from _check(resource, f"tagSpecifications[{kind}].tags", tags, options)
        else:
            yield about(
                "launch-template-tags",
                resource,
                f"`tagSpecifications` has no known tags for {kind}; add {{resourceType: {kind}, tags: ...}}",
                unproved=isinstance(tags, Unknown),
            )


_CARRIERS: Final[Mapping[str, Callable[[Resource, TagOptions], Iterator[Finding]]]] = {
    SERVICE: _propagates("propagateTags", "SERVICE", "TASK_DEFINITION"),
    SCHEDULE: _propagates("target.ecsParameters.propagateTags", "TASK_DEFINITION"),
    EVENT_TARGET: _propagates("ecsTarget.propagateTags", "TASK_DEFINITION"),
    GROUP: _group,
    CAPACITY_PROVIDER: _propagates(
        "managedInstancesProvider.propagateTags", "CAPACITY_PROVIDER", rule_name="instance-tags", what="instances"
    ),
    LAUNCH_TEMPLATE: _launch_template,
}


PACK: Final = Pack(
    name="tags",
    description="Everything taggable carries the required tags, and what runs on it does too.",
    rules=RULES,
    read=TagOptions.read,
    schema=SCHEMA,
    on_resource=judge,
)
