"""Constructs the pack, and nothing else: the engine runs this folder as a program."""

from __future__ import annotations

import sys
from pathlib import Path

# The engine starts a pack in its own folder, from which the package of the rules is two levels up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from policies.pack import serve
from policies.rules.private_network import PACK

serve(PACK)
