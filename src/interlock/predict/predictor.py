"""Text to decision: normalise, encode, classify, calibrate, detect, decide. Knows no files and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Bands, Contract
from interlock.core.decision import Decision, Outcome, Reason
from interlock.predict.calibrators import Calibrator
from interlock.predict.context import in_context
from interlock.predict.decide import Evidence, Intents, decide, fail, inclination
from interlock.predict.detectors import UnknownGate
from interlock.predict.disguise import is_disguised
from interlock.predict.normalise import NormalText, normalise
from interlock.predict.scorer import Encoded, FloatArray, Scorer, Scores
from interlock.predict.several import SeveralDetector, clauses, leading_labels
from interlock.predict.words import Reading, Words

STAGES = ("normalise", "encode", "classify", "calibrate", "decide")


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything one decision was made of, for people who ask why."""

    decision: Decision
    text: str | None  # the message as the model saw it, beside earlier turns; None when the input policy refused it
    pieces: tuple[str, ...] = ()
    logits: FloatArray | None = None  # (k labels,)
    probabilities: FloatArray | None = None  # (k labels,), calibrated
    several: Intents | None = None  # what speaks for several intents
    features: FloatArray | None = None  # (d,) what the last layer saw, where the scorer gives it
    disguised: bool = False  # the text shows people something else than it says
    reread: str | None = None  # the message with its unknown words corrected or left out, where it has any
    doubted: bool = False  # that would be decided otherwise


@dataclass(frozen=True)
class Predictor:
    """Everything that turns a text into a decision, restored together."""

    contract: Contract
    scorer: Scorer
    calibrator: Calibrator
    unknown: UnknownGate | None = None
    several: SeveralDetector | None = None
    words: Words | None = None
    bundle_digest: str | None = None
    clock: Clock = field(default_factory=SystemClock)

    def decide(self, text: str, conversation: Sequence[str] = ()) -> Decision:
        """Decide one message. Never raises for anything a text or a model can do: failures are decisions too.

        Args:
            text: the message.
            conversation: the turns before it, the oldest first; the contract says how many are looked at.
        """
        return self.trace(text, conversation).decision

    def trace(self, text: str, conversation: Sequence[str] = (), *, with_pieces: bool = False) -> Trace:
        """Decide one message and keep every step."""
        ticks = [self.clock.monotonic()]
        normal = normalise(text, self.contract.input)
        ticks.append(self.clock.monotonic())
        if isinstance(normal, Reason):
            refused = fail(normal, self.contract, Evidence(None, bundle_digest=self.bundle_digest))
            return Trace(_timed(refused, ("normalise",), ticks), None)
        encoded, scores, error = self._scores(normal, ticks, conversation, with_pieces=with_pieces)
        probabilities = self._calibrated(scores)
        ticks.append(self.clock.monotonic())
        disguised = self.contract.input.form == "readable" and is_disguised(text, normal)
        evidence = self._evidence(normal, encoded, scores, probabilities, error, disguised=disguised)
        reread, doubted = self._reread(normal, conversation, evidence)
        if doubted:
            evidence = replace(evidence, doubted=True)
        decision = decide(evidence, self.contract)
        ticks.append(self.clock.monotonic())
        return Trace(
            _timed(decision, STAGES, ticks),
            normal,
            encoded.pieces if encoded else (),
            scores.logits if scores else None,
            probabilities,
            evidence.several,
            scores.features if scores else None,
            disguised,
            reread,
            doubted,
        )

    def _scores(
        self, text: NormalText, ticks: list[float], conversation: Sequence[str] = (), *, with_pieces: bool
    ) -> tuple[Encoded | None, Scores | None, str | None]:
        """Return what the model made of a text, as far as it got, and the class of what stopped it."""
        encoded: Encoded | None = None
        scores: Scores | None = None
        error: str | None = None
        try:
            whole = in_context(
                text, conversation, self.contract.input, tokens=lambda joined: self.scorer.encode(joined).tokens
            )
            encoded = self.scorer.encode(whole, with_pieces=with_pieces)
            ticks.append(self.clock.monotonic())
            scores = self.scorer.classify(encoded)
        except Exception as raised:  # noqa: BLE001 - whatever a model does wrong, a person decides
            error = type(raised).__name__
        while len(ticks) < 4:  # noqa: PLR2004 - the ticks after encode and classify
            ticks.append(self.clock.monotonic())
        return encoded, scores, error

    def _reread(self, text: NormalText, conversation: Sequence[str], evidence: Evidence) -> tuple[str | None, bool]:
        """Read the message without its unknown words, where they could matter.

        Returns:
            The likeliest reading, or the first that would be decided otherwise; and whether there is such a one.
        """
        p = evidence.probabilities
        if self.words is None or not self.contract.decide.reread or p is None or not np.isfinite(p).all():
            return None, False
        readings = self.words.readings(text) if evidence.known and not evidence.truncated else []
        for reading in readings:
            if not self._agrees(reading, conversation, p, alone=reading.alone):
                return reading.text, True
        return (readings[0].text if readings else None), False

    def _agrees(self, reading: Reading, conversation: Sequence[str], first: FloatArray, *, alone: bool) -> bool:
        """Whether a reading goes where the message goes by its own ``first`` probabilities.

        One that must stand ``alone`` has to be routed without a second look itself. A text that lacks a word may be
        strange for that, and unlikelier corrections may make an odd text.
        """
        if not reading.text:
            return False
        _, scores, _ = self._scores(NormalText(reading.text), [0.0], conversation, with_pieces=False)
        p = self._calibrated(scores)
        if scores is None or p is None or not np.isfinite(p).all():
            return False
        if inclination(p, self.contract) != inclination(first, self.contract):
            return False
        if not alone:
            return True
        known = (self.unknown.score(scores), self.unknown.threshold) if self.unknown is not None else (None, None)
        return decide(Evidence(p, *known), self.contract).outcome is Outcome.ROUTED

    def _calibrated(self, scores: Scores | None) -> FloatArray | None:
        if scores is None:
            return None
        logits = np.asarray(scores.logits)
        if logits.shape != (len(self.contract.labels),) or not np.isfinite(logits).all():
            return np.full(len(self.contract.labels), np.nan)  # decide() refuses it as an invalid score
        return self.calibrator.probabilities(logits)

    def _evidence(
        self,
        text: NormalText,
        encoded: Encoded | None,
        scores: Scores | None,
        probabilities: FloatArray | None,
        error: str | None,
        *,
        disguised: bool,
    ) -> Evidence:
        usable = scores is not None and probabilities is not None and bool(np.isfinite(probabilities).all())
        return Evidence(
            probabilities=probabilities,
            unknown_score=self.unknown.score(scores) if self.unknown and scores and usable else None,
            unknown_threshold=self.unknown.threshold if self.unknown else None,
            tokens=encoded.tokens if encoded else None,
            truncated=encoded.truncated if encoded else False,
            disguised=disguised,
            several=self._intents(text, encoded, scores, probabilities) if usable and encoded and scores else None,
            error=error,
            bundle_digest=self.bundle_digest,
        )

    def _intents(
        self, text: NormalText, encoded: Encoded, scores: Scores, probabilities: FloatArray | None
    ) -> Intents | None:
        """Return what speaks for several intents, where the contract wants to know and there is a detector."""
        policy = self.contract.decide
        if self.several is None or probabilities is None or not isinstance(policy, Bands) or not policy.several.enabled:
            return None
        found = self.several.look(scores.logits, tokens=encoded.tokens, text=text)
        columns = leading_labels(scores.logits, found.count)
        sure = min(float(probabilities[list(columns)].sum()), 1.0)
        whole = Intents(found.score, self.several.threshold, columns, sure)
        if policy.several.then == "split" and whole.found:
            return self._of_clauses(text, whole, least=policy.guarded.confidence)
        return whole

    def _of_clauses(self, text: NormalText, whole: Intents, *, least: float) -> Intents:
        """Return the intents of a message's clauses, each decided alone; ``whole`` where some show one alone."""
        surest: dict[int, float] = {}
        parts, sure = clauses(text), 0
        for clause in parts:
            _, scores, _ = self._scores(NormalText(clause), [0.0], with_pieces=False)
            p = self._calibrated(scores)
            if p is not None and float(p.max()) >= least:
                column, sure = int(p.argmax()), sure + 1
                surest[column] = max(surest.get(column, 0.0), float(p.max()))
        if len(surest) < 2 and not 1 < sure == len(parts):  # noqa: PLR2004 - several, or one thing asked for repeatedly
            return whole
        return replace(whole, columns=tuple(surest), confidence=min(surest.values()))


def _timed(decision: Decision, stages: Sequence[str], ticks: Sequence[float]) -> Decision:
    """Note in a new decision how long each of ``stages`` took, in milliseconds."""
    decision.stage_ms.update(
        {name: 1000 * (after - before) for name, before, after in zip(stages, ticks, ticks[1:], strict=False)}
    )
    decision.stage_ms["total"] = 1000 * (ticks[-1] - ticks[0])
    return decision
