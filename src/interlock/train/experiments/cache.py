"""Outcomes of trainings by what they were made of: read when there, whole or not at all. Knows no training."""

from __future__ import annotations

import fcntl
import json
import os
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from interlock.core.canonical import digest, digest_of
from interlock.core.errors import InputError, Problem
from interlock.train.encoders import resolve
from interlock.train.experiments.trial import Material, Outcome, Trial

CACHE, LOCK, RESULT = "cache", ".lock", "experiment.json"
FACTS, SCORES = "outcome.json", "outcome.safetensors"
MODEL_FILES = ("*.safetensors", "config.json", "tokenizer.json")


def key_of(trial: Trial, material: Material) -> str:
    """Return the digest of everything the outcome of a trial depends on."""
    rows = (trial.train or material.train, material.calibration, material.test)
    return digest_of(
        {
            "trial": 1,
            "recipe": {**trial.recipe.to_json(), "adapt": None},  # its texts are below
            "baseline": trial.name if trial.baseline else None,
            "encoder": None if trial.baseline else _encoder(trial.encoder),
            "teachers": [_files(Path(one)) for one in (trial.recipe.teacher or "").split(",") if one],
            "unlabelled": list(trial.unlabelled),
            "data": [part.fingerprint for part in rows],
            "contract": material.contract.digest,
            "engine": material.engine,
            "versions": {name: metadata.version(name) for name in ("interlock", "torch", "scikit-learn")},
        }
    )


def _encoder(name: str) -> dict[str, Any]:
    """Return what an encoder is, by the bytes of its files where they are a folder's."""
    chosen = resolve(name)
    files = _files(Path(chosen.source)) if chosen.source else []
    return {"name": chosen.name, "rate": chosen.learning_rate, "files": files or chosen.source}


def _files(folder: Path) -> list[list[str]]:
    """Return the names and digests of a model folder's files."""
    found = sorted(path for pattern in MODEL_FILES for path in folder.glob(pattern))
    return [[path.name, digest(path.read_bytes())] for path in found]


def folder_of(cache: Path, key: str) -> Path:
    """Return the folder of one outcome."""
    return cache / key.removeprefix("sha256:")[:32]


def open_folder(out: Path) -> IO[bytes]:
    """Make an experiment's folder, or go on in it.

    Returns:
        The lock: no other experiment works in the folder while it is open.

    Raises:
        InputError: it is a file, holds what no experiment wrote, or another experiment works in it.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file", [Problem(str(out), "", "a new or empty directory", "a file")])
    if out.is_dir() and any(out.iterdir()) and not any((out / name).exists() for name in (CACHE, RESULT)):
        raise InputError(f"{out} is not empty and holds no experiment", todo="Give a new or empty directory with -o.")
    (out / CACHE).mkdir(parents=True, exist_ok=True)
    lock = (out / LOCK).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise InputError(f"another experiment works in {out}", todo="Wait for it, or give another -o.") from error
    return lock


def store(outcome: Outcome, folder: Path, *, key: str) -> None:
    """Write an outcome; its facts, which name the digest of its scores, come last."""
    scores = {"calibration": outcome.calibration, "test": outcome.test, "latency_ms": outcome.latency_ms}
    data = save({name: np.ascontiguousarray(values) for name, values in scores.items()})
    facts = {"key": key, "scores": digest(data), "confidence": outcome.states_confidence, "facts": outcome.facts}
    for name, content in ((SCORES, data), (FACTS, json.dumps(facts, indent=1).encode() + b"\n")):
        scratch = folder / f"{name}.part"
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(folder / name)


def recall(folder: Path, *, key: str) -> Outcome | None:
    """Return what ``store`` wrote, or None where it is not there, not whole or not of ``key``."""
    try:
        facts = json.loads((folder / FACTS).read_bytes())
        data = (folder / SCORES).read_bytes()
        if facts["key"] != key or facts["scores"] != digest(data):
            return None
        found = load(data)
        parts = {name: found[name] for name in ("calibration", "test", "latency_ms")}
        return Outcome(**parts, facts=facts["facts"], states_confidence=bool(facts["confidence"]), cached=True)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None
