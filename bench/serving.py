"""HTTP: how many decisions a second, how soon, and what overload does to them, beside the stock ways in one run.

    python bench/serving.py --bundle runs/1/bundle [--seconds 10] [--runs 5] [--peers model-folder]

Closed loop: wrk with 8 connections. Open loop: requests are due at fixed times whatever came back, and latency counts
from when a request was due. Overload: the open loop at ten times the closed loop's rate. `--peers` adds FastAPI over
transformers.pipeline and FastAPI over ONNX Runtime on the same weights (needs fastapi, which Interlock does not bring).
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

import httptools
import uvloop

TEXTS = [
    "where is my order",
    "what is the balance of my savings account",
    "please book a table for two at eight tonight",
    "how do i say good morning in italian",
    "my card was declined at the store",
    "set an alarm for six",
    "is there traffic on the way to work",
    "transfer fifty dollars from checking to savings",
]
PEER = """
import sys
from fastapi import FastAPI
from pydantic import BaseModel
kind, model, graph = sys.argv[1:4]
class Body(BaseModel):
    text: str
if kind == "pipeline":
    import torch
    torch.set_num_threads(1)
    from transformers import pipeline
    answers = pipeline("text-classification", model=model, device="cpu")
    def decide(text): return answers(text)[0]
else:
    import numpy, onnxruntime
    from tokenizers import Tokenizer
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(model + "/tokenizer.json")
    wants = {one.name for one in session.get_inputs()}
    def decide(text):
        ids = numpy.array([tokenizer.encode(text).ids])
        feed = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
        logits = session.run(["logits"], {k: v for k, v in feed.items() if k in wants})[0][0]
        return {"label": int(logits.argmax()), "score": float(logits.max())}
app = FastAPI()
@app.post("/v1/route")
def route(body: Body): return decide(body.text)
@app.get("/readyz")
def ready(): return {}
import uvicorn
uvicorn.run(app, port=int(sys.argv[4]), log_level="error")
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A server process for the time of a block."""

    def __init__(self, command: list[str], port: int, folder: Path) -> None:
        self.port = port
        with (folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)  # noqa: S603 - our own commands

    def __enter__(self) -> Self:
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as reply:
                    if reply.status == 200:
                        return self
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("the server did not come up")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Asking(asyncio.Protocol):
    """One connection that takes one request at a time and says what came back, and when."""

    def __init__(self, load: Open) -> None:
        self.load, self.due, self.parser = load, 0.0, httptools.HttpResponseParser(self)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.load.idle.append(self)

    def ask(self, due: float, body: bytes) -> None:
        self.due = due
        self.transport.write(
            b"POST /v1/route HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.load.came(self.parser.get_status_code(), time.perf_counter() - self.due)
        self.load.idle.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        self.load.broken += 1


class Open:
    """An open loop: a request every 1 / rate seconds, on whichever connection is idle, on a new one when none is."""

    def __init__(self, rate: float, seconds: float, port: int, most: int) -> None:
        self.rate, self.seconds, self.port, self.most = rate, seconds, port, most
        self.idle: list[Asking] = []
        self.connections = self.broken = self.unsent = 0
        self.seen: list[tuple[int, float]] = []
        self.bodies = [json.dumps({"text": text}).encode() for text in TEXTS]

    def came(self, status: int, took: float) -> None:
        self.seen.append((status, took))

    async def _more(self) -> None:
        self.connections += 1
        await asyncio.get_running_loop().create_connection(lambda: Asking(self), "127.0.0.1", self.port)

    async def run(self) -> dict[str, Any]:
        await asyncio.gather(*(self._more() for _ in range(min(32, self.most))))
        began = time.perf_counter() + 0.1
        planned = int(self.rate * self.seconds)
        late: deque[tuple[float, bytes]] = deque()
        sent = 0
        while sent < planned:
            due = began + sent / self.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            while sent < planned and began + sent / self.rate <= now:
                late.append((began + sent / self.rate, self.bodies[sent % len(self.bodies)]))
                sent += 1
            while late and self.idle:
                self.idle.pop().ask(*late.popleft())
            if late and self.connections < self.most:
                await self._more()
        until = time.perf_counter() + 5
        while time.perf_counter() < until and len(self.seen) < planned:
            while late and self.idle:
                self.idle.pop().ask(*late.popleft())
            await asyncio.sleep(0.01)
        return summary(self.seen, planned, self.seconds)


def summary(seen: list[tuple[int, float]], planned: int, seconds: float) -> dict[str, Any]:
    good = sorted(took for status, took in seen if status == 200)
    shed = sorted(took for status, took in seen if status in {429, 503})
    return {
        "planned": planned,
        "answered": len(good),
        "per_second": len(good) / seconds,
        "p50_ms": quantile(good, 0.5),
        "p95_ms": quantile(good, 0.95),
        "p99_ms": quantile(good, 0.99),
        "refused": len(shed),
        "refused_p99_ms": quantile(shed, 0.99),
        "errors": len(seen) - len(good) - len(shed),
        "no_reply": planned - len(seen),
    }


def quantile(values: list[float], share: float) -> float | None:
    return round(1000 * values[min(len(values) - 1, int(share * len(values)))], 3) if values else None


def open_loop(port: int, rate: float, seconds: float, *, most: int = 512) -> dict[str, Any]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return {"rate": rate, **runner.run(Open(rate, seconds, port, most).run())}


def closed_loop(port: int, seconds: float, folder: Path, connections: int = 8) -> dict[str, Any]:
    script = folder / "wrk.lua"
    bodies = ", ".join(json.dumps(json.dumps({"text": text})) for text in TEXTS)
    script.write_text(
        f"local bodies = {{{bodies}}}\nlocal n = 0\n"
        'local kind = {["content-type"] = "application/json"}\n'
        'request = function() n = n + 1 return wrk.format("POST", "/v1/route", kind, bodies[n % #bodies + 1]) end\n'
        "done = function(s, l) io.write(string.format('FOUND %d %d %f %f %f %d\\n', s.requests, s.duration, "
        "l:percentile(50), l:percentile(95), l:percentile(99), "
        "s.errors.status + s.errors.timeout + s.errors.read)) end\n"
    )
    wrk = shutil.which("wrk") or sys.exit("wrk is needed: apt-get install wrk")
    url = f"http://127.0.0.1:{port}/v1/route"
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own command
    match = re.search(r"FOUND (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)", said)
    assert match, said
    requests, micro, p50, p95, p99, errors = map(float, match.groups())
    return {
        "connections": connections,
        "per_second": requests / (micro / 1e6),
        "p50_ms": p50 / 1000,
        "p95_ms": p95 / 1000,
        "p99_ms": p99 / 1000,
        "errors": int(errors),
    }


def ours(bundle: Path, folder: Path, workers: int) -> Server:
    port = free_port()
    said = ["serve", "--bundle", str(bundle.resolve()), "--development", "--port", str(port), "--workers", str(workers)]
    return Server([sys.executable, "-m", "interlock", *said], port, folder)


def peer(kind: str, model: Path, graph: Path, folder: Path) -> Server:
    port = free_port()
    (folder / "peer.py").write_text(PEER)
    said = [kind, str(model.resolve()), str(graph.resolve()), str(port)]
    return Server([sys.executable, str(folder / "peer.py"), *said], port, folder)


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"workers": arguments.workers, "seconds": arguments.seconds, "runs": []}
    for _ in range(arguments.runs):
        with ours(arguments.bundle, folder, arguments.workers) as server:
            closed_loop(server.port, 2, folder)  # warm
            closed = closed_loop(server.port, arguments.seconds, folder)
            loops = [open_loop(server.port, rate, arguments.seconds) for rate in arguments.rates]
            flood = open_loop(server.port, 10 * closed["per_second"], arguments.seconds)
            after = open_loop(server.port, 0.5 * closed["per_second"], 5)
        found["runs"].append({"closed": closed, "open": loops, "overload": flood, "after_overload": after})
        print(json.dumps(found["runs"][-1]), file=sys.stderr)
    if arguments.peers is not None:
        model, graph = arguments.peers, arguments.bundle / "model.onnx"
        found["peers"] = {}
        for kind in ("pipeline", "onnxruntime"):
            with peer(kind, model, graph, folder) as server:
                closed_loop(server.port, 2, folder)
                found["peers"][f"fastapi+{kind}"] = closed_loop(server.port, arguments.seconds, folder)
    return {**found, **conclusions(found)}


def conclusions(found: dict[str, Any]) -> dict[str, Any]:
    """Return medians over the runs, and the ratios to the peers of this run."""
    rates = [run["closed"]["per_second"] for run in found["runs"]]
    middle = sorted(rates)[len(rates) // 2]
    goodput = sorted(run["overload"]["per_second"] / run["closed"]["per_second"] for run in found["runs"])
    ratios = {f"per_second_over_{name}": middle / one["per_second"] for name, one in found.get("peers", {}).items()}
    p95 = {
        f"{rate:g}": sorted(run["open"][i]["p95_ms"] or float("inf") for run in found["runs"])[len(rates) // 2]
        for i, rate in enumerate(one["rate"] for one in found["runs"][0]["open"])
    }
    return {
        "per_second": middle,
        "p95_ms": sorted(run["closed"]["p95_ms"] for run in found["runs"])[len(rates) // 2],
        "open_p95_ms": p95,
        "goodput_at_10x": goodput[len(goodput) // 2],
        "ratios": ratios,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="the Hugging Face folder of the same weights")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rates", type=float, nargs="*", default=[200, 300, 500, 700])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments, Path(folder))))


if __name__ == "__main__":
    main()
