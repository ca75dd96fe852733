"""What a guard makes of a task that failed, in JSONata: whether it ran at all, who has told its end, and the words."""

from __future__ import annotations

import json
from typing import Final

from components import failure_events

# Step Functions cuts off a long cause: to parse that would end the execution there, and leave the lock. What is cut off
# has more opening braces than closing ones.
STOPPED: Final = (
    "{% ($said := $states.errorOutput.Cause; $substring($said, 0, 1) = '{' ? "
    "($substring($said, -1) = '}' and $count($split($said, '{')) = $count($split($said, '}')) ? $parse($said) : "
    "{'TaskArn': 'a task whose description is cut off', 'StoppedReason': $substring($said, 0, 800), 'Containers': []})"
    " : {}) %}"
)
"""What ECS told of a task that failed, which is the whole task; nothing if none came to be: then the cause is words."""
WORDS: Final = "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"
"""What was told in either case, kept as `$words`."""

NEVER_RAN: Final = f"($not($exists($stopped.TaskArn)) or $stopped.StopCode = '{failure_events.NEVER_STARTED}')"
"""Whether the start failed: nothing of the job was done. Of `STOPPED`, kept as `$stopped`, as what follows."""

# Whether the pattern of `FailedTasks` surely matches the event of a task that ran.
_TOLD: Final = (
    f"$stopped.StopCode in {json.dumps(failure_events.INTERRUPTED)} "
    f"or ($stopped.StopCode = '{failure_events.ENDED}' and "
    "($count($stopped.Containers[$exists(ExitCode) and ExitCode != 0]) > 0 "
    "or $count($stopped.Containers[$exists(ExitCode)]) = 0))"
)
FAILURE: Final = f"{{% {_TOLD} ? '{failure_events.RUN_FAILED}' : 'RunStopped' %}}"
"""The error of a run that failed: the one that nobody is told again, or one that is told."""

_EXITS: Final = (
    "$join($stopped.Containers[$not(ExitCode = 0)].(Name & "
    "($exists(ExitCode) ? ' ended with exit code ' & $string(ExitCode) : ' has no exit code') & "
    "($exists(Reason) ? ' (' & Reason & ')' : '')), ', ')"
)
CAUSE: Final = (
    f"{{% $substring($exists($stopped.TaskArn) ? {_EXITS} & ': ' & $stopped.StoppedReason & ' (' & $stopped.TaskArn "
    "& ')' : $words, 0, 1000) %}"
)
"""Why, in words: of each container that did not end with 0, and of the task."""
