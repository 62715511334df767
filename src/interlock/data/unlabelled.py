"""Unlabelled messages an encoder may be adapted to: each once, and none that is measured on. Knows no training."""

from __future__ import annotations

from pathlib import Path

from interlock.core.dataset import Split
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, unwatched
from interlock.data.read import read_texts
from interlock.predict.normalise import same_text_key


def unlabelled(path: str | Path | None, split: Split, *, watch: Watch = unwatched) -> tuple[str, ...]:
    """Return the messages of a file whose rows need only ``text``, in its order; none without a file.

    A message that is a test or calibration row but for case, white space and look is left out, and so is one that the
    file holds already.

    Raises:
        InputError: rows that do not read, or nothing is left.
    """
    if path is None:
        return ()
    texts = read_texts(path)
    measured = {same_text_key(row.text) for part in (split.calibration, split.test) for row in part}
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(same_text_key(text), text)
    kept = tuple(text for key, text in first.items() if key not in measured)
    crossing, twice = len(first) - len(kept), len(texts) - len(first)
    if not kept:
        found = f"{len(texts)} rows, {crossing} of them calibration or test rows"
        raise InputError(
            f"{path} holds nothing to adapt the encoder to",
            [Problem(str(path), "", "messages that are no calibration or test rows", found)],
        )
    watch(
        {
            "event": "note",
            "note": f"{len(kept)} unlabelled messages; left out: {crossing} that are calibration or test rows, "
            f"{twice} that repeat another",
        }
    )
    return kept
