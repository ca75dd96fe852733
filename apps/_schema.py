"""Prints the JSON schema of the stack files."""

from __future__ import annotations

import json
import sys

import apps
import settings

if __name__ == "__main__":
    known = {name: workload.settings_class() for name, workload in apps.discover().items()}
    sys.stdout.write(json.dumps(settings.schema(known), indent=2) + "\n")
