"""CPU seconds of a cold start, step by step: the imports of each function, its clients, and its first call.

Each step is measured in fresh processes, because only the first import and the first client of a process are cold; the
byte code is compiled before. CPU seconds hardly count waiting for other processes, but a busy machine makes them up to
half as long again. They divide by the part of a CPU that a size gives: 1,769 MB are one (Lambda Developer Guide,
"Configure memory").

The first call is answered by a server of this process, in plain HTTP: TLS, which costs a few hundredths more, is not in
the figures, and no waiting is. Run it as `python -m bench.cold_start`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FUNCTIONS: Final = ("task_state", "start_container", "stop_container", "reconcile", "agent_health")
FULL_CPU: Final = 1769
"""MB of memory that come with one CPU."""
SIZES: Final = (256, 512, 1024)

_MEASURE: Final = """
import json, os, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
steps, last = {}, cpu()
def step(name):
    global last
    now = cpu()
    steps[name], last = now - last, now
function = sys.argv[1]
initialised = os.environ.pop("AWS_LAMBDA_FUNCTION_NAME")
from handlers import app
handler = __import__(f"handlers.{function}", fromlist=["app"])
step("imports")
os.environ["AWS_LAMBDA_FUNCTION_NAME"] = initialised
made = {"task_state": ("TABLE", "PROBES"), "agent_health": ("PROBER_TABLE",), "reconcile": ("TABLE", "YIELDING_TASKS")}
for name in made.get(function, ("TABLE", "TASKS")):
    app.prepare(getattr(app, name))
    step(name)
handler.app.settings
step("settings")
store = handler.app.store
store.load("a" * 64)
step("first call")
store.load("a" * 64)
step("second call")
print(json.dumps(steps))
"""


class _Table(BaseHTTPRequestHandler):
    """A table without items."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing: the table below is the output."""


def measured(function: str, endpoint: str) -> dict[str, float]:
    """CPU seconds by step, of one cold start."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL": endpoint,
        "TABLE_NAME": "containers",
    }
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, function], env=environment, check=True, capture_output=True, text=True
    )
    steps: dict[str, float] = json.loads(done.stdout)
    return steps


def main() -> int:
    """Prints a table in Markdown: medians, and what they mean at each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="cold starts of each function (7)")
    rounds = parser.parse_args().rounds
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Table)
    Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    sizes = " | ".join(f"{size} MB" for size in SIZES)
    print(f"| function | imports | clients | first call | later call | first call at {sizes} |")
    print("| --- " * (5 + len(SIZES)) + "|")
    for function in FUNCTIONS:
        measured(function, endpoint)
        runs = [measured(function, endpoint) for _ in range(rounds)]
        step = {name: median(run[name] for run in runs) for name in runs[0]}
        clients = ", ".join(f"{name} {value:.3f}" for name, value in step.items() if name.isupper())
        first = step["settings"] + step["first call"]
        waits = " | ".join(f"{first * FULL_CPU / size:.2f} s" for size in SIZES)
        print(f"| {function} | {step['imports']:.3f} | {clients} | {first:.3f} | {step['second call']:.3f} | {waits} |")
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
