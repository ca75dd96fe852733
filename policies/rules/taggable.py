"""Which AWS resource types take tags: a table derived from the provider's own classes, since lists by hand age.

    python -m policies.rules.taggable > policies/rules/taggable.txt

writes it anew after an update of pulumi-aws; a test says when that is due. The provider is read, never imported:
importing it in a pack would cost a second at every start.
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

# Only a taggable resource has this line, in the one place where it is constructed; its token stands just after it.
_COMPUTED_TAGS = '__props__.__dict__["tags_all"] = None'
_TOKEN = re.compile(r"super\(\w+, __self__\)\.__init__\(\s*'([^']+)'")


def derive() -> list[str]:
    """Tokens of every class in the installed pulumi-aws that has `tags` and computes `tags_all`."""
    spec = find_spec("pulumi_aws")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise ModuleNotFoundError("pulumi_aws is not installed, and the table is made from it: pip install pulumi-aws")
    sources = (path.read_text(encoding="utf-8") for path in Path(folders[0]).rglob("*.py"))
    tokens = {match[1] for source in sources if _COMPUTED_TAGS in source and (match := _TOKEN.search(source))}
    return sorted(tokens)


def load() -> frozenset[str]:
    """Read the table as kept beside this file."""
    return frozenset(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split())


if __name__ == "__main__":
    sys.stdout.write("\n".join(derive()) + "\n")
