"""Names and tags: what AWS allows, and what is left of it once Pulumi has added its suffix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from components.errors import InvalidArgsError

_SUFFIX: Final = 8
"""What autonaming adds to a logical name: a hyphen and seven hexadecimal digits. It cuts nothing to make room."""


@dataclass(frozen=True, kw_only=True)
class NameRule:
    """What AWS accepts as the name of one kind of thing."""

    what: str
    """The kind of thing in words, for the error."""
    longest: int
    """Characters, as the service counts them."""
    pattern: str = r"[A-Za-z0-9][A-Za-z0-9-]*"
    """What the whole name fits. Default: letters, digits and hyphens, none of these first."""
    reads: str = "letters, digits and hyphens"
    """The pattern in words, for the error."""


# Each from the service's botocore model (its documentation where the model has no bound), and nowhere else in the
# library: a limit that stands in two places will differ in one.
LOAD_BALANCER: Final = NameRule(
    what="load balancer",
    longest=32,
    pattern=r"(?!internal-)[A-Za-z0-9][A-Za-z0-9-]*",
    reads="letters, digits and hyphens, and not 'internal-' at the beginning, which is AWS's own",
)
TARGET_GROUP: Final = NameRule(what="target group", longest=32)
# 256 in the model, and 255 for the provider's own names.
SCALING_POLICY: Final = NameRule(what="scaling policy", longest=255, pattern=r"[ -~]+", reads="printable characters")
# 256 in the model, and likewise.
SCHEDULED_ACTION: Final = NameRule(
    what="scheduled action", longest=255, pattern=r"[\w.-]+", reads="letters, digits and _.-"
)
ROLE: Final = NameRule(what="role", longest=64, pattern=r"[\w+=,.@-]+", reads="letters, digits and +=,.@-_")
POLICY: Final = NameRule(what="policy", longest=128, pattern=r"[\w+=,.@-]+", reads="letters, digits and +=,.@-_")
SERVICE: Final = NameRule(what="service", longest=255, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores")
CLUSTER: Final = NameRule(what="cluster", longest=255, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores")
FAMILY: Final = NameRule(
    what="task family", longest=255, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores"
)
CONTAINER: Final = NameRule(
    what="container", longest=255, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores"
)
REPOSITORY: Final = NameRule(
    what="repository",
    longest=256,
    pattern=r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
    reads="lower-case letters and digits, joined by single . _ - or /",
)
LOG_GROUP: Final = NameRule(
    what="log group", longest=512, pattern=r"[.\-_/#A-Za-z0-9]+", reads="letters, digits and .-_/#"
)
TABLE: Final = NameRule(what="table", longest=255, pattern=r"[A-Za-z0-9_.-]{3,}", reads="letters, digits and _.-")
FUNCTION: Final = NameRule(
    what="function", longest=64, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores"
)
TOPIC: Final = NameRule(what="topic", longest=256, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores")
QUEUE: Final = NameRule(what="queue", longest=80, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores")
BUCKET: Final = NameRule(
    what="bucket", longest=63, pattern=r"[a-z0-9][a-z0-9.-]{1,}", reads="lower-case letters, digits, hyphens and dots"
)
SECRET: Final = NameRule(what="secret", longest=512, pattern=r"[\w/+=.@-]+", reads="letters, digits and /_+=.@-")
# The text of PutAlarmMuteRule in botocore's `cloudwatch` model has no pattern: an alarm's.
MUTE_RULE: Final = NameRule(what="mute rule", longest=255, pattern=r"[^:\x00-\x1f]+", reads="anything but colons")
ALARM: Final = NameRule(what="alarm", longest=255, pattern=r"[^:\x00-\x1f]+", reads="anything but colons")
# The text of CreateSecurityGroup in botocore's `ec2` model; whatever begins with `sg-` is an id there.
SECURITY_GROUP: Final = NameRule(
    what="security group",
    longest=255,
    pattern=r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]+",
    reads="letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*, and not 'sg-' at the beginning",
)
# The text of PortMapping in botocore's `ecs` model.
PORT: Final = NameRule(
    what="port", longest=64, pattern=r"[a-z0-9_][a-z0-9_-]*", reads="lower-case letters, digits, hyphens, underscores"
)
# One label of a DNS name: RFC 1035 allows 63 characters.
DISCOVERY: Final = NameRule(
    what="discovery",
    longest=63,
    pattern=r"[a-z0-9]([a-z0-9-]*[a-z0-9])?",
    reads="lower-case letters, digits and hyphens, none of these first or last",
)
# The text of ServiceConnectService in botocore's `ecs` model.
CONNECT: Final = NameRule(what="Service Connect", longest=64, pattern=r"[a-z0-9_][a-z0-9_-]*", reads=PORT.reads)
NAMESPACE: Final = NameRule(
    what="namespace",
    longest=253,
    pattern=r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    reads="a domain in lower case, such as 'workflow.local'",
)
_LATTICE: Final = r"(?!(svc|sn|tg|listener)-)[a-z0-9]+(-[a-z0-9]+)*"
LATTICE_SERVICE: Final = NameRule(
    what="Lattice service",
    longest=40,
    pattern=_LATTICE,
    reads="lower-case letters and digits, joined by single hyphens",
)
SERVICE_NETWORK: Final = NameRule(
    what="Lattice service network", longest=63, pattern=_LATTICE, reads=LATTICE_SERVICE.reads
)
VOLUME: Final = NameRule(what="volume", longest=255, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores")
SCHEDULE: Final = NameRule(what="schedule", longest=64, pattern=r"[\w.-]+", reads="letters, digits and _.-")
STATE_MACHINE: Final = NameRule(
    what="state machine", longest=80, pattern=r"[\w-]+", reads="letters, digits, hyphens, underscores"
)
EVENT_RULE: Final = NameRule(what="event rule", longest=64, pattern=r"[\w.-]+", reads="letters, digits and _.-")
# The text of CreateCapacityProvider in botocore's `ecs` model.
CAPACITY_PROVIDER: Final = NameRule(
    what="capacity provider",
    longest=255,
    pattern=r"(?!(?i:aws|ecs|fargate))[\w-]+",
    reads="letters, digits, hyphens and underscores, and neither 'aws', 'ecs' nor 'fargate' at the beginning",
)
# The text of CreateLaunchTemplate in botocore's `ec2` model.
LAUNCH_TEMPLATE: Final = NameRule(
    what="launch template", longest=128, pattern=r"[\w().\-/]{3,}", reads="letters, digits and ().-/_"
)
INSTANCE_PROFILE: Final = NameRule(
    what="instance profile", longest=128, pattern=r"[\w+=,.@-]+", reads="letters, digits and +=,.@-_"
)
# The text of CreateDBInstance in botocore's `rds` model; it keeps them in lower case.
DATABASE: Final = NameRule(
    what="database",
    longest=63,
    pattern=r"[a-z](-?[a-z0-9])*",
    reads="lower-case letters, digits and single hyphens, a letter first and no hyphen last",
)
# The text of CreateStack in botocore's `cloudformation` model.
CLOUDFORMATION_STACK: Final = NameRule(
    what="CloudFormation stack",
    longest=128,
    pattern=r"[a-zA-Z][a-zA-Z0-9-]*",
    reads="letters, digits and hyphens, a letter first",
)
REST_API: Final = NameRule(what="REST API", longest=255, pattern=r"[\w .-]+", reads="letters, digits, spaces and _.-")
# 255 for the provider's own names: AWS takes 1024 characters for a key's, and says no bound of a plan's.
API_KEY: Final = NameRule(what="API key", longest=255, pattern=REST_API.pattern, reads=REST_API.reads)
USAGE_PLAN: Final = NameRule(what="usage plan", longest=255, pattern=REST_API.pattern, reads=REST_API.reads)
# `StringWithLengthBetween1And128` in botocore's `apigatewayv2` model.
VPC_LINK: Final = NameRule(what="VPC link", longest=128, pattern=REST_API.pattern, reads=REST_API.reads)


def autonamed(name: str, rule: NameRule) -> str:
    """Return logical *name* if it still fits *rule* once Pulumi has added its eight characters; refuse it otherwise."""
    return _checked(name, rule, rule.longest - _SUFFIX, f" ({rule.longest} less Pulumi's {_SUFFIX})")


def fixed(name: str, rule: NameRule) -> str:
    """Return physical *name*, which people type and no suffix is added to, if it fits *rule*; refuse it otherwise."""
    return _checked(name, rule, rule.longest, "")


def _checked(name: str, rule: NameRule, longest: int, why: str) -> str:
    if len(name) > longest:
        raise InvalidArgsError(
            f"{rule.what} name", got=name, want=f"at most {longest} characters{why}, and this has {len(name)}"
        )
    if not re.fullmatch(rule.pattern, name):
        raise InvalidArgsError(f"{rule.what} name", got=name, want=rule.reads)
    return name
