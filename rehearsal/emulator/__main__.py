"""The emulator's own process: the corrections, then ministack as it is."""

from __future__ import annotations

import os

from ministack.app import main

from rehearsal.emulator import corrections

for left_out in os.environ.get("DRYDOCK_WITHOUT", "").split():  # such as rollouts.fail_at_an_alarm
    module, _, correction = left_out.partition(".")
    setattr(getattr(corrections, module), correction, lambda: None)
if os.environ.get("DRYDOCK_CORRECT"):
    corrections.apply()
main()
