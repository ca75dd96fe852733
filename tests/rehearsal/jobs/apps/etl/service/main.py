"""Counts a source's visits into a database: `count`; `wait`, two seconds before that; and `fail`, with 3."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
import urllib.request
from pathlib import Path

job = sys.argv[1]
if job == "fail":
    sys.exit(3)
if job == "wait":
    time.sleep(2)
with urllib.request.urlopen(os.environ["SOURCE_URL"], timeout=10) as answer:  # noqa: S310 - the definition's own
    visits = json.load(answer)["visits"]
with sqlite3.connect(Path(os.environ["DATA_DIR"], "visits.db")) as database:
    database.execute("CREATE TABLE IF NOT EXISTS visits (count INTEGER)")
    database.execute("INSERT INTO visits VALUES (?)", [visits])
print(json.dumps({"job": job, "visits": visits}))  # noqa: T201
