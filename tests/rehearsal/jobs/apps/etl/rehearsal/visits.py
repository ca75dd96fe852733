"""The source of visits: 7, and in the mode `slow` after two seconds. At `/_mode` it tells its modes so far."""

from __future__ import annotations

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

modes = ["normal"]


class Visits(BaseHTTPRequestHandler):
    """Answers."""

    def do_GET(self) -> None:
        """Tell the visits."""
        if modes[-1] == "slow":
            time.sleep(2)
        self.send_response(200 if self.path in ("/today", "/_mode") else 404)
        self.end_headers()
        self.wfile.write(json.dumps(modes if self.path == "/_mode" else {"visits": 7}).encode())

    def do_POST(self) -> None:
        """Take a mode."""
        modes.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200 if modes[-1] in ("normal", "slow") else 400)
        self.end_headers()


server = ThreadingHTTPServer((os.environ["BIND_ADDRESS"], int(os.environ["PORT"])), Visits)
print(f"listening on http://{server.server_address[0]}:{server.server_address[1]}")  # noqa: T201
server.serve_forever()
