"""What the rooms made, joined: detectors, a receipt's identity and its rivals. Decides nothing itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from interlock.bundle import layout
from interlock.bundle.open import open_bundle
from interlock.bundle.parts import detector_bytes
from interlock.calibrate.fit import Calibration
from interlock.calibrate.several import fit_several
from interlock.core.canonical import digest, digest_of
from interlock.core.contract import Bands, Contract
from interlock.core.dataset import CalibrationSet, Dataset, Split, TrainSet
from interlock.core.decision import Decision, Reason
from interlock.core.errors import InputError, Problem, did_you_mean
from interlock.core.progress import Watch
from interlock.core.receipt import Receipt
from interlock.data.compose import longest, several_rows
from interlock.data.twins import twins
from interlock.gate.refusals import PINNED
from interlock.gate.take import Subject
from interlock.predict.context import row_text
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import allowed_start
from interlock.predict.scorer import FloatArray, score_all
from interlock.predict.words import Words
from interlock.train.recipe import Recipe
from interlock.train.training import Trained

LIBRARIES = (
    *("numpy", "onnxruntime", "tokenizers", "safetensors", "torch", "transformers", "peft", "scikit-learn", "scipy"),
    *("onnx", "onnxscript", "polars"),
)
MANY_HELD = 0.02  # of test messages: clean ones of a language that the tokenizer knows are some tenths of a percent
DETERMINISM = (  # variables that change which bits come out
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "ONEDNN_MAX_CPU_ISA"),
)


def scored(scorer: OnnxEncoder, rows: Dataset, contract: Contract) -> FloatArray:
    """Return the logits of rows, (n, k); a text the input policy refuses is scored as far as the policy allows."""
    return score_all(scorer, [row_text(row, contract.input, scorer) for row in rows])[0]


def logits_of(receipt: Receipt) -> FloatArray:
    """Return the logits a receipt holds, (n, k)."""
    if receipt.logits is None:
        raise ValueError("this receipt holds scores, not logits")
    return receipt.logits.array


def top_labels(scorer: OnnxEncoder, rows: Dataset, contract: Contract) -> list[str]:
    """Return the most probable label of each row."""
    return [contract.label_names[column] for column in scored(scorer, rows, contract).argmax(axis=1)]


def champion_labels(champion: str | Path, rows: Dataset, contract: Contract) -> list[str]:
    """Open the bundle in service and return the label it finds most probable for each row.

    Raises:
        InputError: it decides between other labels, so that no row can be compared.
        RefusedError: it does not verify.
    """
    other = open_bundle(champion)
    if set(other.contract.label_names) != set(contract.label_names):
        differ = sorted(set(other.contract.label_names) ^ set(contract.label_names))
        raise InputError(
            f"the champion {champion} knows other labels",
            [
                Problem(
                    str(champion), "labels", "the labels of the contract", f"a difference in {', '.join(differ[:10])}"
                )
            ],
            todo="Build without --champion; the comparison is then with the best baseline.",
        )
    scorer = other.predictor.scorer
    logits = score_all(scorer, [row_text(row, other.contract.input, scorer) for row in rows])[0]
    return [other.contract.label_names[column] for column in logits.argmax(axis=1)]


def with_several(
    calibrated: Calibration, rows: CalibrationSet, scorer: OnnxEncoder, contract: Contract, *, seed: int, watch: Watch
) -> Calibration:
    """Return the calibration with a detector of several intents, where the contract wants one.

    It is fitted on the calibration rows, and on messages composed of them where hardly a row has several labels.
    """
    if not (isinstance(contract.decide, Bands) and contract.decide.several.enabled):
        return calibrated
    rows = several_rows(rows, seed=seed, max_chars=longest(contract.input))
    texts = [allowed_start(row.text, contract.input) for row in rows]
    encoded = [scorer.encode(row_text(row, contract.input, scorer)) for row in rows]
    logits = np.stack([scorer.classify(one).logits for one in encoded])
    fitted = fit_several(rows, logits, [one.tokens for one in encoded], texts, contract.decide.several, seed=seed)
    if fitted is None:
        note = "too few calibration rows with one and with several intents: no message will count as having several"
        watch({"event": "note", "note": note})
        return calibrated
    return replace(calibrated, several=fitted.detector, facts={**calibrated.facts, "several": fitted.facts})


def with_words(calibrated: Calibration, rows: TrainSet, scorer: OnnxEncoder, contract: Contract) -> Calibration:
    """Return the calibration with the words of the training rows, where the contract wants messages read again."""
    if not contract.decide.reread:
        return calibrated
    words = Words.of(scorer.whole_words(), (allowed_start(row.text, contract.input) for row in rows))
    facts = {"seen": len(words.seen), "whole": len(words.whole)}
    return replace(calibrated, words=words, facts={**calibrated.facts, "words": facts})


def held_for_words(decisions: Sequence[Decision]) -> str | None:
    """Return what to say where many messages are held back for words that no training message has."""
    held = sum(decision.reason is Reason.UNKNOWN_WORDS for decision in decisions)
    if not held > MANY_HELD * len(decisions):
        return None
    return (
        f"{held} of {len(decisions)} test messages are held back for words that no training message has: learn from "
        "more messages, or let these through with decide: {reread: false}"
    )


@dataclass(frozen=True)
class Exported:
    """The files training left, read once."""

    model: dict[str, bytes]  # name inside the model directory -> bytes
    graph: bytes
    graph_int8: bytes

    @classmethod
    def read(cls, run: Path) -> Exported:
        """Read what training wrote into a run."""
        names = [name for name in layout.MODEL_FILES if (run / "model" / name).is_file()]
        model = {name: (run / "model" / name).read_bytes() for name in names}
        return cls(model, (run / layout.GRAPH).read_bytes(), (run / layout.GRAPH_INT8).read_bytes())

    def scorer(self, contract: Contract, engine: str) -> OnnxEncoder:
        """Load the graph called ``engine``."""
        return OnnxEncoder(
            graph=self.graph if engine == layout.GRAPH else self.graph_int8,
            tokenizer=self.model["tokenizer.json"],
            labels=len(contract.labels),
            max_tokens=contract.input.max_tokens,
        )


def subject(
    contract: Contract,
    split: Split,
    exported: Exported,
    calibration: Calibration,
    trained: Trained,
    *,
    predicted: Mapping[str, Sequence[str]],
    versions: Mapping[str, str],
) -> Subject:
    """Return what the receipt is about: every version and digest, the registered rows, and who else was run on them."""
    alike = twins(split.test)
    return Subject(
        name=contract.name,
        identity={**identity(contract, split, exported, calibration, trained), **versions},
        fixtures=split.manifest.parts["test"],
        crossings=split.manifest.crossings,
        predicted=predicted,
        copies=alike.copies,
        near=alike.near,
        facts={
            "recipe": trained.recipe.to_json(),
            "training": trained.facts,
            "calibration": calibration.facts,
            "environment": environment(),
        },
    )


def identity(
    contract: Contract, split: Split, exported: Exported, calibration: Calibration, trained: Trained
) -> dict[str, str]:
    """Return the versions and digests of everything a receipt measures."""
    return {
        "label_version": contract.label_version,
        "label_digest": contract.label_digest,
        "contract_digest": contract.digest,
        "dataset_digest": split.test.fingerprint,
        "train_digest": split.train.fingerprint,
        "calibration_digest": split.calibration.fingerprint,
        "split_manifest_digest": split.manifest.digest,
        "encoder": trained.encoder.name,
        "seed": str(trained.recipe.seed),
        "model_digest": digest(exported.model["model.safetensors"]),
        "tokenizer_digest": digest(exported.model["tokenizer.json"]),
        "graph_digest": digest(exported.graph),
        "graph_int8_digest": digest(exported.graph_int8),
        "calibrator_digest": digest_of(calibration.calibrator.to_json()),
        "detectors_digest": digest(detector_bytes(calibration.unknown, calibration.several, calibration.words)),
        "policy_digest": contract.policy_digest,
        "input_policy_digest": contract.input_digest,
        "input_policy_version": contract.input.version,
        "code_version": version(),
        "environment_digest": digest_of(environment()),
        **({"unlabelled_digest": trained.unlabelled} if trained.unlabelled is not None else {}),
    }


def check_versions(given: Mapping[str, str], contract: Contract) -> None:
    """Look, before hours of training, whether a receipt with the given versions would be the contract's.

    Raises:
        InputError: names that no contract pins, or versions that are not those it pins.
    """
    problems = [
        Problem("versions", name, f"one of {', '.join(PINNED)}{did_you_mean(name, PINNED)}", "another name")
        for name in sorted(set(given) - set(PINNED))
    ]
    for name in PINNED:
        pinned = getattr(contract.evaluation, name)
        if pinned is not None and given.get(name) != pinned:
            problems.append(Problem("versions", name, f"the contract's {pinned}", given.get(name, "nothing")))
    if problems:
        raise InputError(
            "this would be no evidence for the contract", problems, todo="Give --identity NAME=VALUE for each."
        )


def version() -> str:
    """Return the version of this package."""
    return metadata.version("interlock")


def environment() -> dict[str, Any]:
    """Return what a result may depend on beside the data: library versions and the machine's kind."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count() or 0,
        "system": platform.system(),
        "libraries": found,
        "determinism": {name: os.environ[name] for name in DETERMINISM if name in os.environ},
    }


def processor() -> str:
    """Return the processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


def config(
    contract: Contract,
    split: Split,
    *,
    encoder: str,
    recipe: Recipe,
    unlabelled: Sequence[str] = (),
    unknown: Sequence[str] = (),
) -> dict[str, Any]:
    """Return everything the outcome of a build depends on, so that an interrupted one is known again."""
    return {
        "unknown": digest_of(list(unknown)),
        "contract": contract.to_json(),
        "split": split.manifest.digest,
        "encoder": encoder,
        "recipe": recipe.to_json(),
        "environment": environment(),
        **({"unlabelled": digest_of(list(unlabelled))} if unlabelled else {}),
    }
