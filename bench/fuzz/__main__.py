"""Requests of every kind against a real server: not one may get a status of 500 or more, or no reply at all.

    python -m bench.fuzz BUNDLE [--requests 100000] [--schemathesis FILE] [--seed 1]

So many are `bench/fuzz/requests.py`'s; before them come schemathesis's, from the description that the server serves,
some hundred for each operation (each costs it 40 ms of processor time; `pip install schemathesis` into an environment
of its own and name its command). Whatever was sent, the server must have logged no defect and still decide as before.
Prints one JSON object; exit code 1 when anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.fuzz.replies import Tally
from bench.fuzz.requests import sent
from hypothesis import HealthCheck, Phase, given, seed, settings

CHECKS = (  # all of schemathesis's but two: no JSON schema knows a contract's labels, and no key is needed here
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance"),
)
KEPT = 200  # last lines of what schemathesis says when it is not content
SPREAD = 1000  # schemathesis's examples for each operation are so many times fewer: beside 100,000 its own default


def lines(log: Path) -> list[dict[str, Any]]:
    """Return what a server has logged."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


@contextmanager
def serving(bundle: Path, folder: Path) -> Iterator[int]:
    """Serve a bundle for the time of a block; give the port."""
    command = [sys.executable, "-m", "interlock", "serve", "--development", "--port", "0", "--bundle"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*command, str(bundle.resolve())], cwd=folder, stdout=log)  # noqa: S603 - our own command
    try:
        while not any(line["event"] == "ready" for line in lines(folder / "log")):
            if server.poll() is not None:
                raise RuntimeError("the server did not come up")
            time.sleep(0.1)
        address = next(line["address"] for line in lines(folder / "log") if line["event"] == "listening")
        yield int(address.rpartition(":")[2])
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def decided(port: int) -> Any:
    """Return what the server decides, but for how long it took and under which id."""
    body = json.dumps({"text": "yes"}).encode()
    request = Request(f"http://127.0.0.1:{port}/v1/route", body, {"content-type": "application/json"})
    with urlopen(request, timeout=30) as reply:  # noqa: S310 - ours
        return {**json.load(reply), "stage_ms": None, "request_id": None}


def described(port: int, folder: Path, *, command: str, examples: int, chance: int) -> dict[str, Any]:
    """Let schemathesis test what the server says of itself; return its verdict."""
    with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as reply:
        about = json.load(reply)
    place = {"path.model": about["name"], "path.version": about["bundle_digest"]}
    known = "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in place.items())
    (folder / "schemathesis.toml").write_text(f"[parameters]\n{known}", encoding="utf-8")
    where = f"http://127.0.0.1:{port}/openapi.json"
    wanted = ["--checks", ",".join(CHECKS), "-n", str(examples), "--seed", str(chance), "--no-shrink", "--no-color"]
    wanted += ["--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off"]
    ran = subprocess.run([command, "run", where, *wanted], cwd=folder, capture_output=True, text=True)  # noqa: S603, PLW1510 - the code is told
    found = [line.strip() for line in ran.stdout.splitlines()]
    said = found[-KEPT:] if ran.returncode else [line for line in found if "generated" in line]
    return {"exit": ran.returncode, "said": said}


def hostile(port: int, count: int, *, chance: int = 1) -> Tally:
    """Send so many requests that Hypothesis makes of our rules; other ones for another ``chance``."""
    tally = Tally()

    @seed(chance)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(sent())
    def exchange(one: Any) -> None:
        tally.exchange(port, one)

    while tally.sent < count:  # it stops early where it thinks that nothing new comes
        exchange()
    return tally


def main() -> int:
    """Send them all, and say what came back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--schemathesis", help="its command; without it only requests of our own rules are sent")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    os.environ["INTERLOCK_WORKERS"] = "1"
    found: dict[str, Any] = {"bench": "fuzz"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(asked.bundle, folder) as port:
            before, count = decided(port), 0
            if asked.schemathesis:
                examples = max(1, asked.requests // SPREAD)
                found["schemathesis"] = described(
                    port, folder, command=asked.schemathesis, examples=examples, chance=asked.seed
                )
                count = sum(line["event"] == "request" for line in lines(folder / "log"))
                found["schemathesis"]["requests"] = count
            found["hostile"] = hostile(port, asked.requests, chance=asked.seed).to_json()
            found["decides_as_before"] = decided(port) == before
        logged = lines(folder / "log")
    statuses = Counter(line["status"] for line in logged if line["event"] == "request")
    found["requests"] = count + found["hostile"]["sent"]
    found["five_hundreds"] = sum(many for status, many in statuses.items() if status >= 500)
    found["defects"] = sum(line["event"] == "defect" for line in logged)
    print(json.dumps({**found, "logged": {str(status): many for status, many in sorted(statuses.items())}}))
    wrong = found["five_hundreds"] or found["defects"] or not found["decides_as_before"]
    return int(bool(wrong or found.get("schemathesis", {}).get("exit")))


if __name__ == "__main__":
    sys.exit(main())
