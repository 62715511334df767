"""The commands as a user runs them: what they print, what they leave, how they exit."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from interlock.build import Built
from interlock.bundle.run import start_run
from interlock.core.contract_file import parse_contract
from interlock.core.decision import Outcome
from interlock.train import checkpoint
from interlock.train.checkpoint import Checkpoints

KILLS = 8
GOLDEN = 0.618  # its multiples modulo 1 spread evenly
IMPORTED = [  # what a build imports while it runs
    *("interlock.build", "interlock.train.fit", "interlock.train.export", "transformers.models.bert.modeling_bert"),
    *("sklearn.linear_model", "torch._dynamo", "torch.export", "onnxscript", "polars", "matplotlib.pyplot"),
]

Command = Callable[..., tuple[int, str, str]]
DECISION = {
    "outcome",
    "route",
    "reason",
    "label",
    "confidence",
    "second_label",
    "second_confidence",
    "margin",
    "unknown_score",
    "several_score",
    "intents",
    "routes",
    "tokens",
    "truncated",
    "stage_ms",
    "bundle_digest",
    "error",
}
MEASURED = {
    "accuracy",
    "macro_f1",
    "nll",
    "brier",
    "ece_10",
    "ece_20",
    "ece_debiased",
    "cost_per_message",
    "coverage",
    "latency_p50_ms",
    "latency_p95_ms",
    "recall.order",
    "precision.refund",
    "f1.hello",
}


@pytest.mark.parametrize("template", ["manga", "intake", "blank"])
def test_new_makes_a_workspace_that_reads(template: str, tmp_path: Path, command: Command) -> None:
    code, said, _ = command("new", tmp_path / "w", "--template", template)

    assert code == 0
    assert "interlock build" in said
    assert {path.name for path in (tmp_path / "w").iterdir()} == {"contract.yaml", "label_guide.md", "rows.jsonl"}
    code, said, _ = command(
        "split", tmp_path / "w/rows.jsonl", "--contract", tmp_path / "w/contract.yaml", "-o", tmp_path / "s", "--json"
    )
    assert code == 0
    assert set(json.loads(said)["crossings"].values()) == {0}


def test_new_from_data_reads_the_labels(shop: Path, tmp_path: Path, command: Command) -> None:
    code, _, _ = command("new", tmp_path / "w", "--from-data", shop / "rows.jsonl")

    assert code == 0
    assert '"refund": {route: refund} # 300 rows' in (tmp_path / "w/contract.yaml").read_text()


@pytest.mark.parametrize(
    "labels",
    [["NULL", "true", "1", "1e5", "yes", "~"], ["日本語", "中文", "😀"], ["C#", "C+", "C"], ["a" * 150, "a" * 151]],
)
def test_new_from_data_gives_every_label_a_route_of_its_own(
    labels: list[str], tmp_path: Path, command: Command
) -> None:
    data = tmp_path / "rows\n.jsonl"
    data.write_text("".join(json.dumps({"text": f"of {label}", "label": label}) + "\n" for label in labels))
    code, _, said = command("new", tmp_path / "w", "--from-data", data)
    contract = parse_contract((tmp_path / "w/contract.yaml").read_bytes())

    assert (code, said) == (0, "")
    assert list(contract.label_names) == sorted(labels)
    assert len({label.route for label in contract.labels.values()}) == len(labels)


def test_build_prints_one_object_with_what_was_measured(shop: Path, tmp_path: Path, command: Command) -> None:
    code, said, _ = command(
        "build",
        "--contract",
        shop / "contract.yaml",
        "--data",
        shop / "rows.jsonl",
        "--encoder",
        "tiny",
        "--epochs",
        3,
        "--batch-size",
        16,
        "-o",
        tmp_path / "run",
        "--json",
    )
    found = json.loads(said.splitlines()[-1])

    assert code == (0 if found["verdict"] == "eligible_for_shadow" else 1)
    assert set(found) >= {"run", "bundle", "receipt", "verdict", "reasons", "measurements", "baselines"}
    assert set(found["measurements"]) >= MEASURED
    assert all(
        set(m) >= {"name", "value", "n", "low", "high", "level", "method"} for m in found["measurements"].values()
    )
    assert "attempts are not counted" in found["note"]
    assert set(found["baselines"]) == {"keywords", "tfidf_logistic"}
    assert found["baselines"]["tfidf_logistic"]["accuracy"]["n"] == found["measurements"]["accuracy"]["n"]


def test_the_run_folder_holds_what_the_design_names(built: Built) -> None:
    names = {path.relative_to(built.run).as_posix() for path in built.run.rglob("*") if path.is_file()}

    assert names >= {
        "config.json",
        "split.json",
        "train.jsonl",
        "receipt.json",
        "scores/test.parquet",
        "scores/calibration.parquet",
        "model/config.json",
        "model/model.safetensors",
        "bundle/manifest.json",
    }
    lines = [json.loads(line) for line in (built.run / "train.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    assert set(steps[0]) >= {
        "epoch",
        "step",
        "steps",
        "loss",
        "lr_head",
        "lr_bottom",
        "grad_norm",
        "ex_per_sec",
        "mem_gb",
    }
    assert steps[-1]["step"] == steps[-1]["steps"]


def test_gate_repeats_the_verdict_from_the_file_alone(built: Built, tmp_path: Path, command: Command) -> None:
    alone = shutil.copy(built.run / "receipt.json", tmp_path / "r.json")
    code, said, _ = command("gate", alone, "--json")
    found = json.loads(said)

    assert found["verdict"] == built.judgement.verdict
    assert found["verdicts"] == built.judgement.to_json()["verdicts"]
    assert code == (0 if built.judgement.eligible else 1)


def test_gate_holds_an_edited_receipt_with_exit_1(built: Built, tmp_path: Path, command: Command) -> None:
    body = json.loads((built.run / "receipt.json").read_bytes())
    body["name"] = "better"
    (tmp_path / "r.json").write_text(json.dumps(body))
    code, said, _ = command("gate", tmp_path / "r.json", "--json")

    assert code == 1
    assert json.loads(said)["reasons"][0].startswith("digest:")


def test_evaluate_measures_any_labelled_file(built: Built, shop: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "strange.jsonl").write_text(
        '{"text": "quantum entanglement of purple mice"}\n{"text": "zzz qqq xxx"}\n'
    )
    code, said, _ = command(
        "evaluate", built.run / "bundle", shop / "rows.jsonl", "--unknown", tmp_path / "strange.jsonl", "--json"
    )
    found = json.loads(said)

    assert code == 0
    assert set(found["measurements"]) >= MEASURED | {
        "unknown_auroc",
        "unknown_fpr95",
        "unknown_recall",
        "unknown_precision",
    }
    assert found["measurements"]["accuracy"]["n"] == 900


def test_evaluate_agrees_with_the_receipt_on_the_test_rows(
    built: Built, tmp_path: Path, shop: Path, command: Command
) -> None:
    ids = set(built.receipt.fixtures)
    kept = [line for line in (shop / "rows.jsonl").read_text().splitlines() if json.loads(line)["id"] in ids]
    (tmp_path / "test.jsonl").write_text("\n".join(kept))
    _, said, _ = command("evaluate", built.run / "bundle", tmp_path / "test.jsonl", "--json")
    now, then = json.loads(said)["measurements"], built.receipt.measurements

    for name in ("accuracy", "macro_f1", "nll", "brier", "ece_10", "coverage", "cost_per_message"):
        assert now[name]["value"] == pytest.approx(then[name]["value"], abs=1e-9)


def test_verify_says_yes_and_names_what_was_changed(bundle: Path, command: Command) -> None:
    assert command("verify", bundle)[0] == 0

    (bundle / "card.md").write_text("trust me")
    code, _, said = command("verify", bundle)
    assert code == 1
    assert "card.md" in said


def test_route_prints_one_decision(built: Built, command: Command) -> None:
    code, said, _ = command("route", built.run / "bundle", "where is my parcel, the courier is late", "--json")
    found = json.loads(said)

    assert code == 0
    assert set(found) == DECISION
    assert found["bundle_digest"] == built.bundle.digest
    assert found["outcome"] in set(Outcome)


def test_route_explains_every_stage(built: Built, command: Command) -> None:
    _, said, _ = command("route", built.run / "bundle", "where is my parcel", "--explain")
    for word in ("because", "pieces", "[CLS]", "logit", "calibrated", "unknown score", "its threshold", "classify"):
        assert word in said

    _, said, _ = command("route", built.run / "bundle", "where is my parcel", "--explain", "--json")
    assert len(json.loads(said)["explain"]["leading"]) == 3


def test_route_answers_every_line_of_standard_input_in_order(
    built: Built, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        b'{"text": "hello friend"}',
        b'{"text": ""}',
        b"not json",
        b'{"txt": 1}',
        b"\xff",
        b'{"text": "a\\ud800"}',
        b'{"text": "refund money back broken torn item"}',
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(lines) + b"\n")))
    code, said, error = command("route", built.run / "bundle")
    found = [json.loads(line) for line in said.splitlines()]

    assert code == 2
    assert error.count("standard input:") == 4
    assert "8 bytes that are no JSON" in error
    assert "text: expected a text, got no such key" in error
    assert [item["reason"] for item in found[1:6]] == [
        "empty_text",
        "undecodable",
        "undecodable",
        "undecodable",
        "undecodable",
    ]
    assert all(item["route"] == "person" for item in found[1:6])
    assert [found[0]["label"], found[6]["label"]] == ["hello", "refund"]


def test_traffic_gives_the_same_bytes_for_the_same_seed(tmp_path: Path, command: Command) -> None:
    for name in ("a", "b"):
        assert command("traffic", "--rows", 50, "--seed", 3, "-o", tmp_path / name)[0] == 0

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


BAD_USAGE = {
    "an unknown command": ("bild",),
    "an unknown option": ("gate", "x.json", "--cahmpion", "y"),
    "a missing option": ("build", "--contract", "c.yaml"),
    "a template that is none": ("new", "w", "--template", "mango"),
    "new without a source": ("new", "w"),
    "a receipt that is not there": ("gate", "nothing.json"),
    "a bundle that is not there": ("verify", "nothing"),
    "a contract that is not there": ("build", "--contract", "no.yaml", "--data", "no.jsonl", "-o", "r"),
    "drift that is none": ("traffic", "--rows", "5", "--drift", "wind"),
}


@pytest.mark.parametrize("arguments", BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_is_one_message_and_exit_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, said = command(*arguments)

    assert code == 2
    assert said.strip()
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def labelled(*labels: str) -> str:
    return "".join(json.dumps({"text": f"words {i} {label}", "label": label}) + "\n" for i, label in enumerate(labels))


BAD_DATA = {
    "no rows": ("", "has no rows"),
    "one class only": (labelled(*["order"] * 30), "disagree"),
    "a label the contract does not know": (labelled("order", "refund", "hello", "ordr"), "did you mean 'order'?"),
    "a label without rows": (labelled(*["order", "refund"] * 20), "label hello: expected at least one row"),
    "rows that are not JSON": ("x\ny\n", "2 problems"),
}


@pytest.mark.parametrize(("rows", "said"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_is_one_error_and_nothing_is_written(
    rows: str, said: str, shop: Path, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "rows.jsonl").write_text(rows)
    code, _, error = command(
        "build", "--contract", shop / "contract.yaml", "--data", tmp_path / "rows.jsonl", "-o", tmp_path / "run"
    )

    assert code == 2
    assert said in error
    assert not (tmp_path / "run").exists()


def test_a_run_folder_with_other_files_is_left_alone(shop: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, said = command(
        "build", "--contract", shop / "contract.yaml", "--data", shop / "rows.jsonl", "-o", tmp_path
    )

    assert code == 2
    assert "is not empty" in said
    assert (tmp_path / "thesis.txt").exists()


def test_a_finished_run_is_not_overwritten(built: Built, shop: Path, command: Command) -> None:
    code, _, said = command(
        "build", "--contract", shop / "contract.yaml", "--data", shop / "rows.jsonl", "-o", built.run
    )

    assert code == 2
    assert "finished run" in said


def test_an_interrupted_build_leaves_no_bundle_and_other_inputs_start_clean(
    shop: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    arguments = [
        "build",
        "--contract",
        str(shop / "contract.yaml"),
        "--data",
        str(shop / "rows.jsonl"),
        "--encoder",
        "tiny",
        "--batch-size",
        "4",
        "--epochs",
        "40",
        "-o",
        str(run),
    ]
    with subprocess.Popen([sys.executable, "-m", "interlock", *arguments], stderr=subprocess.PIPE) as process:
        wait_until((run / "train.jsonl").exists)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"goes on from the last checkpoint" in said
    assert b"Traceback" not in said
    assert not (run / "bundle").exists()
    code, _, _ = command(*arguments[:-4], "--epochs", 1, "-o", run, "--json")
    assert code in {0, 1}
    assert (run / "bundle" / "manifest.json").exists()


def test_a_label_with_a_single_row_is_trained_on_and_its_recall_is_not_known(
    shop: Path, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "rows.jsonl").write_text(labelled(*["order", "refund"] * 20, "hello"))
    code, said, _ = command(
        *("build", "--contract", shop / "contract.yaml", "--data", tmp_path / "rows.jsonl", "--encoder", "tiny"),
        *("--epochs", 1, "-o", tmp_path / "run", "--json"),
    )
    recall = json.loads(said.splitlines()[-1])["measurements"]["recall.hello"]

    assert code == 1
    assert (recall["value"], recall["n"]) == (None, 0)


def wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not so() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_killed_build_goes_on_to_the_model_it_would_have_made(shop: Path, tmp_path: Path, command: Command) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join((shop / "rows.jsonl").read_text().splitlines(keepends=True)[:240]))

    def arguments(run: Path) -> list[str]:
        given = ["--contract", str(shop / "contract.yaml"), "--data", str(rows), "--encoder", "tiny"]
        return ["build", *given, "--batch-size", "2", "--epochs", "2", "--rdrop", "0", "-o", str(run)]

    cut, whole = tmp_path / "cut", tmp_path / "whole"
    with subprocess.Popen(
        [sys.executable, "-m", "interlock", *arguments(cut)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        wait_until(lambda: (cut / "train.jsonl").exists() and '"step"' in (cut / "train.jsonl").read_text())
        process.send_signal(signal.SIGSTOP)  # until a checkpoint is due, at the very next step
        time.sleep(Checkpoints.every)
        process.send_signal(signal.SIGCONT)
        wait_until((cut / "checkpoint.safetensors").exists)
        process.kill()
    assert (cut / "checkpoint.safetensors").exists()
    assert command(*arguments(cut), "--json")[0] in {0, 1}
    assert command(*arguments(whole), "--json")[0] in {0, 1}

    assert "goes on after step" in (cut / "train.jsonl").read_text()
    for name in ("model/model.safetensors", "model.onnx", "model.int8.onnx"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    assert not (cut / "checkpoint.safetensors").exists()


def saving_often(*arguments: str) -> None:
    """Run the command line with a checkpoint after almost every step."""
    from interlock.cli.app import run

    setattr(checkpoint, "Checkpoints", partial(Checkpoints, every=0.1, share=1.0))  # noqa: B010 - a class, to mypy
    run(list(arguments))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [("--adapt", "unlabelled.jsonl", "--adapt-epochs", "2"), ("--soup", "3"), ("--track", "lora")]
)
def test_a_build_killed_again_and_again_ends_in_the_same_bits(
    shop: Path, tmp_path: Path, command: Command, options: tuple[str, ...]
) -> None:
    """Whatever it was doing: all over what it would have logged, when all is learnt, and when the bundle is packed.

    Each process has come further than the one before when it is killed, so that a slow machine takes no more of them.
    They are forked from one that has imported everything: most of what a process of so small a build would do.
    """
    rows = [json.loads(line) for line in (shop / "rows.jsonl").read_text().splitlines()[:300]]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "unlabelled.jsonl").write_text(
        "".join(json.dumps({"text": f"{r['text']} please"}) + "\n" for r in rows)
    )
    given = ["--contract", str(shop / "contract.yaml"), "--data", str(tmp_path / "rows.jsonl"), "--encoder", "tiny"]
    given += [str(tmp_path / one) if one.endswith(".jsonl") else one for one in options]
    given += ["--batch-size", "2", "--epochs", "3", "--rdrop", "0"]
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    assert command("build", *given, "-o", whole, "--json")[0] in {0, 1}
    lines = logged(whole)
    moments: list[Callable[[], bool]] = [partial(has_logged, cut, lines * n // KILLS) for n in range(KILLS)]
    moments += [(cut / name).exists for name in ("model/model.safetensors", "bundle/manifest.json")]
    processes = get_context("forkserver")
    processes.set_forkserver_preload(IMPORTED)
    for number, moment in enumerate(moments):
        process = processes.Process(target=saving_often, args=("build", *given, "-o", str(cut)))
        process.start()
        wait_until(moment)
        process.join(number * GOLDEN % 1 * 0.3)  # not always as a line is written
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    assert command("build", *given, "-o", cut, "--json")[0] in {0, 1}

    assert (cut / "train.jsonl").read_text().count("training goes on after step") > KILLS // 2
    for name in ("model/model.safetensors", "model.onnx", "model.int8.onnx"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    assert not list(cut.glob("*.safetensors"))


def logged(run: Path) -> int:
    log = run / "train.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def has_logged(run: Path, lines: int) -> bool:
    return logged(run) > lines


def test_two_builds_do_not_write_into_one_folder(shop: Path, tmp_path: Path, command: Command) -> None:
    lock = start_run(tmp_path / "run", {})
    with lock:
        code, _, said = command(
            *("build", "--contract", shop / "contract.yaml", "--data", shop / "rows.jsonl", "--encoder", "tiny"),
            *("-o", tmp_path / "run"),
        )

    assert code == 2
    assert "another build" in said


def test_an_unknown_encoder_names_the_choices(shop: Path, tmp_path: Path, command: Command) -> None:
    code, _, said = command(
        "build",
        "--contract",
        shop / "contract.yaml",
        "--data",
        shop / "rows.jsonl",
        "--encoder",
        "bort",
        "-o",
        tmp_path / "r",
    )

    assert code == 2
    assert "minilm, distilbert, tiny" in said


def test_a_run_given_as_an_encoder_is_told_where_its_model_is(
    built: Built, shop: Path, tmp_path: Path, command: Command
) -> None:
    arguments = ("build", "--contract", shop / "contract.yaml", "--data", shop / "rows.jsonl", "-o", tmp_path / "r")
    code, _, said = command(*arguments, "--encoder", built.run)

    assert code == 2
    assert f"Did you mean {built.run / 'model'}?" in said
    assert not (tmp_path / "r").exists()


def test_without_its_files_the_default_encoder_names_the_install_command(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setattr("interlock.train.encoders.OFFLINE_PACKAGE", "no_such_package")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    code, _, said = command(
        "build", "--contract", shop / "contract.yaml", "--data", shop / "rows.jsonl", "-o", tmp_path / "r"
    )

    assert code == 2
    assert "pip install 'interlock[offline]'" in said
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("module", ["torch", "sklearn", "onnxscript", "polars"])
def test_without_the_extra_a_build_names_the_install_command_and_writes_nothing(
    module: str, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    code, _, said = command(
        "build", "--contract", shop / "contract.yaml", "--data", shop / "rows.jsonl", "-o", tmp_path / "r"
    )

    assert code == 2
    assert "pip install 'interlock[train]'" in said
    assert module in said
    assert not (tmp_path / "r").exists()


def test_a_place_that_cannot_be_written_is_said_without_a_traceback(
    shop: Path, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "file").write_text("")
    code, _, said = command("traffic", "--rows", 5, "-o", tmp_path / "file" / "rows.jsonl")

    assert code == 2
    assert "the system refused" in said


@pytest.mark.parametrize("group", [(), ("build",), ("route",), ("gate",), ("new",)])
def test_help_teaches(group: tuple[str, ...], command: Command) -> None:
    code, said, _ = command(*group, "--help")

    assert code == 0
    assert ("Example: interlock" in said) == bool(group)


def test_a_champion_bundle_is_run_on_the_same_rows_and_the_receipt_keeps_what_it_said(
    built: Built, shop: Path, tmp_path: Path, command: Command
) -> None:
    code, said, _ = command(
        *(
            "build",
            "--contract",
            shop / "contract.yaml",
            "--data",
            shop / "rows.jsonl",
            "--encoder",
            "tiny",
            "--epochs",
            1,
        ),
        *("--champion", built.run / "bundle", "-o", tmp_path / "run", "--json"),
    )
    found = json.loads(said.splitlines()[-1])
    compared = next(v for v in found["verdicts"] if v["limit"] == "accuracy_vs_champion")

    assert code in {0, 1}
    assert compared["evidence"]["slice"] == "champion=champion"
    theirs, mine = built.receipt.measurements["accuracy"]["value"], found["measurements"]["accuracy"]["value"]
    assert compared["evidence"]["value"] == pytest.approx(mine - theirs)
    _, said, _ = command("gate", tmp_path / "run" / "receipt.json", "--json")
    assert json.loads(said)["verdicts"] == found["verdicts"]
