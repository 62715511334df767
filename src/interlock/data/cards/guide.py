"""The label guide: what each label means, which one wins, and rows to learn it from. Knows no split and no run."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.core.contract import Contract
from interlock.core.dataset import Dataset
from interlock.data.audit.subject import Subject
from interlock.data.cards.annotators import agreement_lines
from interlock.data.cards.cases import Cases, learnt_cases, simple_cases
from interlock.data.cards.markdown import TO_FILL, message, name, names, plain, table
from interlock.data.cards.precedence import RULE, Precedence, precedence, settled


def label_guide(contract: Contract, rows: Dataset, *, subject: Subject | None = None) -> str:
    """Return ``label_guide.md``; the same rows give the same text, whatever their order.

    Args:
        contract: whose labels are explained.
        rows: the training rows, for counts and annotations.
        subject: rows that a model may be learnt from, to choose examples by; without it the choice is a plain one.
    """
    learnt = {} if subject is None else learnt_cases(subject)
    cases = simple_cases(rows, contract.label_names) | learnt
    order = precedence(contract)
    agreed = agreement_lines(rows, contract.label_names)
    lines = [
        f"# Label guide: {plain(contract.name)}",
        "",
        f"Version `{contract.label_version}`, contract `{contract.digest}`. Messages are masked and shortened.",
        "",
        f"{_how(subject, learnt)} Check them before teaching from them.",
        "",
        "## Which label wins",
        "",
        RULE,
        "",
        *_overview(contract, rows),
        "",
    ]
    for label in contract.labels:
        lines += [f"## {name(label, cell=False)}", "", *_label(contract, label, cases[label], order), ""]
    if agreed:
        lines += ["## Annotator agreement", "", *agreed]
    return "\n".join(lines).rstrip("\n") + "\n"


def _how(subject: Subject | None, learnt: dict[str, Cases]) -> str:
    if subject is None:
        return "Examples are rows of middle length: no model was asked which rows are clear and which are not."
    if not learnt:
        return "Examples are rows of middle length: a model needs at least two labels with 5 different texts each."
    return (
        "Examples, near misses, ambiguous rows and confusions were chosen by a linear model over words that judged "
        f"each of {len(subject.rows)} rows without having seen it or a copy of it."
    )


def _overview(contract: Contract, rows: Dataset) -> list[str]:
    counts = rows.counts()
    return table(
        ["label", "route", "critical", "rows"],
        [
            [name(label), name(spec.route), "yes" if label in contract.critical else "", counts[label]]
            for label, spec in contract.labels.items()
        ],
    )


def _label(contract: Contract, label: str, cases: Cases, order: dict[str, Precedence]) -> Iterator[str]:
    spec = contract.labels[label]
    yield f"- Means: {plain(spec.means) or TO_FILL}"
    yield f"- Not: {plain(spec.not_) or TO_FILL}"
    yield f"- Route: {name(spec.route, cell=False)}"
    if label in contract.critical:
        yield "- Critical: a miss here is a release blocker"
    yield f"- Precedence: {_wins(contract, label, cases, order)}"
    if cases.confused:
        yield "- Most often confused with:"
        for one in cases.confused:
            yield (
                f"  - {name(one.label, cell=False)}: {one.out} of its {one.own} rows were called that, "
                f"{one.back} of the other's {one.theirs} were called this"
            )
    yield "- Typical:" if cases.typical else f"- Typical: {TO_FILL}, no row shows it clearly"
    yield from (f"  - {message(text)}" for text in cases.typical)
    if cases.near:
        yield "- Near misses, of another label:"
        yield from (f"  - {message(text)} is {name(other, cell=False)}" for text, other in cases.near)
    if cases.ambiguous:
        yield "- Ambiguous, labelled this; say in `not` which it is:"
        yield from (f"  - {message(text)} or {name(other, cell=False)}?" for text, other in cases.ambiguous)


def _wins(contract: Contract, label: str, cases: Cases, order: dict[str, Precedence]) -> str:
    own = order[label]
    said = ["wins over every label that is not critical"] if own.over_uncritical else []
    if label not in contract.critical and contract.critical:
        critical = [other for other in contract.labels if other in contract.critical]
        said.append(f"gives way to {names(critical)} (critical)")
    said += [f"wins over {names(own.over)} (its miss costs more)"] if own.over else []
    said += [f"gives way to {names(own.under)} (whose miss costs more)"] if own.under else []
    silent = [one.label for one in cases.confused if not settled(contract, order, label, one.label)]
    said += [f"against {names(silent)} {TO_FILL}"] if silent else []
    return "; ".join(said) or TO_FILL
