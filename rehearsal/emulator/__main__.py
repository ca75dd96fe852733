"""The emulator's own process: the corrections, then ministack as it is."""

from __future__ import annotations

import os

from ministack.app import main

from rehearsal.emulator import corrections

if os.environ.get("DRYDOCK_CORRECT"):
    corrections.apply()
main()
