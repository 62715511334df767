"""Servers for the time of a block: ours, and the stock ways over the same weights; and the processor time they took."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self
from urllib.request import urlopen

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
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A server process for the time of a block."""

    def __init__(self, command: list[str], port: int, folder: Path) -> None:
        self.port = port
        with (folder / f"server-{port}.log").open("wb") as log:
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

    def processor_s(self) -> dict[str, float]:
        """Return the seconds of processor time taken so far: by the ``front``, and by all ``workers`` together."""
        found = {"front": 0.0, "workers": 0.0}
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            part = "front" if "interlock.serve.front" in Path(f"/proc/{pid}/cmdline").read_text() else "workers"
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[part] += TICK_S * (int(fields[11]) + int(fields[12]))  # user and system
        return found


def ours(bundle: Path, folder: Path, workers: int) -> Server:
    port = free_port()
    said = ["--bundle", str(bundle.resolve()), "--development", "--port", str(port), "--workers", str(workers)]
    return Server([sys.executable, "-m", "interlock", "serve", *said, "--store", f"events-{port}.db"], port, folder)


def peer(kind: str, model: Path, graph: Path, folder: Path) -> Server:
    port = free_port()
    (folder / "peer.py").write_text(PEER)
    said = [kind, str(model.resolve()), str(graph.resolve()), str(port)]
    return Server([sys.executable, str(folder / "peer.py"), *said], port, folder)
