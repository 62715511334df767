"""HTTP: how many decisions a second, how soon, and what overload does to them, beside the stock ways in one run.

    python bench/serving.py --bundle runs/1/bundle [--peers runs/1/model] [--larger]    # below six minutes

Closed loop: wrk with 8 connections. Open loop: requests are due at fixed times whatever came back, and latency counts
from when one was due. Overload: some hundred callers by wrk, each of which asks again about 40 ms after it was refused,
so many that together they ask ten times as often as the closed loop was answered, and beside them a sample of 100
requests a second at fixed times, whose latencies are shown; goodput counts what was answered of both, over the closed
loop's rate. Recovery: half the closed rate, right afterwards. Rounds repeat all of it, medians are over rounds.
``--peers`` adds FastAPI over transformers.pipeline and FastAPI over ONNX Runtime (fp32) on the same weights, in turns
with ours; it needs fastapi, which Interlock does not bring. ``--larger`` adds a model of DistilBERT's size with random
weights at 200 a second.

``processor_us`` is what front and workers took for a request, which holds on a busy machine too. Wants two quiet cores
for itself and the servers. Prints one JSON object; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from larger import larger_bundle
from load import Open, Wrk, closed_loop, summary
from servers import Server, ours, peer

TIMES, SAMPLE = 10, 100
TURN_S = 0.04  # from one request of a caller that is refused to its next one
HELD_MS, HELD_SHARE = 15.0, 0.8  # a rate holds when its P95 is below in four of five rounds
PEERS = ("pipeline", "onnxruntime")


def closed(server: Server, seconds: int, folder: Path) -> dict[str, Any]:
    """The closed loop, with the processor time of a request where the server is ours."""
    before = server.processor_s()
    found = closed_loop(server.port, seconds, folder)
    after = server.processor_s()
    requests = found["per_second"] * seconds
    found["processor_us"] = {part: round(1e6 * (after[part] - before[part]) / requests) for part in after}
    return found


def flood(server: Server, calm: dict[str, Any], seconds: int, folder: Path, inside: int) -> dict[str, Any]:
    """Ten times the ``calm`` rate; ``inside`` callers are those that wait for a decision."""
    wanted = TIMES * calm["per_second"]
    refused_callers = max(16, round(wanted * TURN_S))
    callers, turn_ms = inside + refused_callers, 1000 * refused_callers / wanted
    with Wrk(server.port, 2, folder, callers, round(turn_ms)) as load:
        tried = load.found()["offered_per_second"] or wanted
    delay = max(1, round(2 * turn_ms - 1000 * refused_callers / tried))  # a refusal takes part of the turn
    before = server.processor_s()
    whole = seconds + 1
    with Wrk(server.port, whole, folder, callers, delay) as load:
        time.sleep(0.5)
        sample = Open(server.port, SAMPLE, seconds)
        sampled = sample.run()
        found = load.found()
    answered = (found["per_second"] * whole + sampled["answered"]) / whole
    spent = 1e6 * (server.processor_s()["front"] - before["front"]) / whole
    refused = found["refused_per_second"] + sampled["refused"] / whole
    return {
        "offered_per_second": found["offered_per_second"] + SAMPLE,
        "answered_per_second": answered,
        "goodput": answered / calm["per_second"],
        "processor_us_a_refusal": (spent - answered * calm["processor_us"]["front"]) / refused,
        "errors": found["errors"] + sampled["errors"] + sampled["no_reply"],
        "sample": sampled,
        "seen": sample.seen,
    }


def one_round(servers: dict[str, Server], arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    server, seconds = servers["ours"], arguments.seconds
    found = {"closed": closed(server, seconds, folder)}
    found["peers"] = {name: closed_loop(servers[name].port, seconds, folder) for name in PEERS if name in servers}
    found["open"] = [Open(server.port, rate, seconds).run() for rate in arguments.rates]
    found["overload"] = flood(server, found["closed"], seconds, folder, arguments.inside)
    found["after_overload"] = Open(server.port, 0.5 * found["closed"]["per_second"], seconds).run()
    if "larger" in servers:
        found["larger"] = Open(servers["larger"].port, 200, seconds).run()
    return found


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    with ExitStack() as stack:
        servers = {"ours": stack.enter_context(ours(arguments.bundle, folder, arguments.workers))}
        if arguments.peers is not None:
            graph = arguments.bundle / "model.onnx"
            servers |= {one: stack.enter_context(peer(one, arguments.peers, graph, folder)) for one in PEERS}
        if arguments.larger:
            bundle = larger_bundle(arguments.bundle, folder / "larger")
            servers["larger"] = stack.enter_context(ours(bundle, folder, arguments.workers))
        for server in servers.values():
            closed_loop(server.port, 2, folder)  # warm
        rounds = []
        for _ in range(arguments.runs):
            rounds.append(one_round(servers, arguments, folder))
            print(json.dumps(shown(rounds[-1])), file=sys.stderr, flush=True)
    said = {"workers": arguments.workers, "seconds": arguments.seconds, **conclusions(rounds)}
    return {**said, "rounds": [shown(one) for one in rounds]}


def shown(found: dict[str, Any]) -> dict[str, Any]:
    """Return a round without its single requests, its numbers short."""
    calm = {**found, "overload": {name: one for name, one in found["overload"].items() if name != "seen"}}
    return json.loads(json.dumps(calm), parse_float=lambda text: round(float(text), 3))  # type: ignore[no-any-return]


def conclusions(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return medians over rounds, and ratios to the peers of the same round."""

    def middle(*path: str) -> Any:
        values = []
        for one in rounds:
            for name in path:
                one = one[name]  # noqa: PLW2901 - a step down
            values.append(float("inf") if one is None else one)
        return round(statistics.median(values), 3)

    rates = [one["rate"] for one in rounds[0]["open"]]
    p95 = [[_p95(one["open"][at]) for one in rounds] for at in range(len(rates))]
    held = [sum(value < HELD_MS for value in values) >= HELD_SHARE * len(rounds) for values in p95]
    pooled = summary([each for one in rounds for each in one["overload"]["seen"]], 0, 1)
    found = {
        "closed": {name: middle("closed", name) for name in ("per_second", "p50_ms", "p95_ms", "p99_ms")},
        "processor_us": {part: middle("closed", "processor_us", part) for part in ("front", "workers")},
        "open_p95_ms": {f"{rate:g}": statistics.median(values) for rate, values in zip(rates, p95, strict=True)},
        "holds_p95_below_15_ms": max((rate for rate, ok in zip(rates, held, strict=True) if ok), default=None),
        "overload": {name: middle("overload", name) for name in ("offered_per_second", "goodput", "errors")}
        | {"processor_us_a_refusal": middle("overload", "processor_us_a_refusal")}
        | {name: pooled[name] for name in ("p95_ms", "refused_p50_ms", "refused_p99_ms", "answered", "refused")},
        "after_overload_p95_ms": middle("after_overload", "p95_ms"),
    }
    ratios = {name: statistics.median(_ratio(one, name) for one in rounds) for name in rounds[0]["peers"]}
    found["times_fastapi_over"] = {name: round(ratio, 2) for name, ratio in ratios.items()}
    if "larger" in rounds[0]:
        found["larger_p95_ms_at_200"] = statistics.median(_p95(one["larger"]) for one in rounds)
    return found


def _p95(loop: dict[str, Any]) -> float:
    """Return the P95 of an open loop; of one that was not wholly answered there is none."""
    whole = loop["answered"] == loop["planned"]
    return float(loop["p95_ms"]) if whole else float("inf")


def _ratio(found: dict[str, Any], name: str) -> float:
    return float(found["closed"]["per_second"] / found["peers"][name]["per_second"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="the Hugging Face folder of the same weights")
    parser.add_argument("--larger", action="store_true", help="also a model of DistilBERT's size")
    parser.add_argument("--seconds", type=int, default=5, help="of each loop")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rates", type=float, nargs="*", default=[300, 500, 700, 900])
    parser.add_argument("--inside", type=int, default=64, help="the server's max_waiting")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments, Path(folder))))


if __name__ == "__main__":
    main()
