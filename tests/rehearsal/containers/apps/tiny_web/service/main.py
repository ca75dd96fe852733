"""A workload of a few lines: it says who it is, lists queues if it may, and stops at once when told."""

from __future__ import annotations

import http.server
import json
import os
import signal
import sys
import threading
import time

import boto3
from botocore.exceptions import ClientError


def answer(path: str) -> tuple[int, object]:
    """Answer one request."""
    if path == "/who":
        return 200, boto3.client("sts").get_caller_identity()["Arn"]
    if path == "/queues":
        try:
            return 200, boto3.client("sqs").list_queues().get("QueueUrls", [])
        except ClientError as error:
            return 502, error.response["Error"]["Code"]
    if path == "/slow":
        time.sleep(1)
        return 200, "ok"
    if path == "/environment":
        return 200, dict(os.environ)
    return (200, "ok") if path == "/health" else (404, "no such path")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as JSON."""

    def do_GET(self) -> None:
        """Answer a GET."""
        status, body = answer(self.path)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing of its own."""


time.sleep(float(os.environ.get("BOOTS_FOR", "0")))
server = http.server.ThreadingHTTPServer((os.environ.get("BIND_ADDRESS", "0.0.0.0"), int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
sys.stdout.write(json.dumps({"message": "listening"}) + "\n")
sys.stdout.flush()
server.serve_forever(poll_interval=0.05)
sys.stdout.write(json.dumps({"message": "stopped"}) + "\n")
sys.stdout.flush()
sys.exit(0)
