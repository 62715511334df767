"""Confidence from tokens: printed probabilities against printed log-probabilities, and the sums made of them."""

from __future__ import annotations

import math

from bench.worked_examples.claim import Ledger

SOURCE = "Getting Confidence Scores from Language Model Classifications"
SURE = (  # token, probability, percent, log-probability, as printed
    ("Yes", "0.994130", "99.41%", "-0.006"),
    ("yes", "0.003817", "0.38%", "-5.568"),
    ("YES", "0.001616", "0.16%", "-6.428"),
    ("No", "0.000349", "0.03%", "-7.959"),
    ("**", "0.000065", "0.01%", "-9.647"),
    ("The", "0.000003", "0.00%", "-12.725"),
    ("Answer", "0.000002", "0.00%", "-13.100"),
    ("Maybe", "0.000001", "0.00%", "-13.815"),
)
UNSURE = (
    ("Yes", "0.366000", "36.60%", "-1.005"),
    ("No", "0.267800", "26.78%", "-1.318"),
    ("no", "0.208500", "20.85%", "-1.568"),
    ("yes", "0.155000", "15.50%", "-1.864"),
    ("Maybe", "0.000600", "0.06%", "-7.411"),
    ("YES", "0.000100", "0.01%", "-9.161"),
    ("y", "0.000000", "0.00%", "-12.857"),
    ("Y", "0.000000", "0.00%", "-12.685"),
)
AGAIN = (
    ("yes", "0.1550", "-1.864"),
    ("Yes", "0.3660", "-1.005"),
    ("no", "0.2085", "-1.568"),
    ("No", "0.2678", "-1.318"),
    ("Maybe", "0.0006", "-7.396"),
)
LOVED = (
    ("yes", "0.2450", "-1.406"),
    ("Yes", "0.7547", "-0.281"),
    ("YES", "0.0002", "-8.453"),
    ("no", "0.0000", "-14.860"),
    ("No", "0.0000", "-10.531"),
)


def record(ledger: Ledger) -> None:
    """Record these sections' claims."""
    _table(ledger, "sure", SURE)
    _sure(ledger)
    _table(ledger, "unsure", UNSURE)
    _unsure(ledger)
    _again(ledger)
    _loved(ledger)
    _agreement(ledger)


def agree(probability: str, log: str) -> bool:
    """Whether one number rounds to both printed forms."""
    half: float = 0.5 * 10.0 ** -len(probability.partition(".")[2])
    low, high = (math.exp(float(log) + side * 0.0005) for side in (-1, 1))
    return low <= float(probability) + half and high >= float(probability) - half


def _table(ledger: Ledger, name: str, table: tuple[tuple[str, str, str, str], ...]) -> None:
    for token, probability, percent, log in table:
        what = f"{name} message, {token!r}"
        ledger.number("Tokens", f"percentage of {what}", percent, 100 * float(probability))
        ledger.fact(
            "Tokens",
            f"probability and log-probability of {what}",
            f"{probability} and {log}",
            f"exp({log}) = {math.exp(float(log)):.6f}",
            agree(probability, log),
            "The six decimals are four, padded with zeros: the fifth and sixth are not the model's.",
        )


def _sure(ledger: Ledger) -> None:
    p = {token: float(probability) for token, probability, *_ in SURE}
    ledger.number(
        "Tokens",
        "probability of the token The, in words",
        "0.000003%",
        100 * p["The"],
        "The table's 0.000003 is a probability; as a percentage it is 0.0003 %.",
    )
    ledger.numbers(
        "Tokens",
        {
            "sure message, all yes variants": ("99.96%", 100 * (p["Yes"] + p["yes"] + p["YES"])),
            "sure message, all no variants": ("0.04%", 100 * p["No"]),
            "sure message, gap of the first two": ("99.03", 99.41 - 0.38),
            "sure message, difference of log-probabilities": ("5.562", 5.568 - 0.006),
            "sure message, picks of Yes at temperature 1": ("99.4%", 100 * p["Yes"]),
        },
        "the one printed no token is 0.0349 %; unlisted variants may add at most 0.0003 %",
    )
    ledger.fact(
        "Tokens",
        "printed probabilities stay below 1",
        "a distribution",
        f"sum {sum(p.values()):.6f}",
        sum(p.values()) <= 1,
    )


def _again(ledger: Ledger) -> None:
    for token, probability, log in AGAIN:
        ledger.fact(
            "Examples",
            f"unsure message, second listing of {token!r}",
            f"{probability} and {log}",
            f"exp({log}) = {math.exp(float(log)):.4f}",
            agree(probability, log),
        )


def _unsure(ledger: Ledger) -> None:
    p = {token: float(probability) for token, probability, *_ in UNSURE}
    ledger.numbers(
        "Tokens",
        {
            "unsure message, all yes variants": ("52.11%", 100 * (p["Yes"] + p["yes"] + p["YES"])),
            "unsure message, all no variants": ("47.64%", 100 * (p["No"] + p["no"])),
            "unsure message, gap of the first two": ("9.82", 36.60 - 26.78),
            "unsure message, difference of log-probabilities": ("0.313", 1.318 - 1.005),
        },
    )
    logs = [float(log) for *_, log in UNSURE]
    ledger.fact(
        "Tokens",
        "unsure message, tokens are ranked by probability",
        "y 7th, Y 8th",
        "Y (-12.685) before y (-12.857)",
        logs == sorted(logs, reverse=True),
        "The log-probabilities of ranks 7 and 8 are in the wrong order.",
    )
    ledger.number(
        "Examples",
        "unsure message, log-probability of Maybe in the second listing",
        "-7.396",
        -7.411,
        "The first listing of the same run has -7.411.",
    )
    for side, share, log, token in (("positive", 0.5211, "-1.005", "Yes"), ("negative", 0.4764, "-1.318", "No")):
        ledger.number(
            "Examples",
            f"unsure message, log-probability of {side}",
            log,
            math.log(share),
            f"Printed beside the class's summed probability, it belongs to the single token {token!r}.",
        )


def _loved(ledger: Ledger) -> None:
    for token, probability, log in LOVED:
        ledger.fact(
            "Examples",
            f"loved film, probability and log-probability of {token!r}",
            f"{probability} and {log}",
            f"exp({log}) = {math.exp(float(log)):.4f}",
            agree(probability, log),
        )
    positive = sum(float(probability) for _, probability, _ in LOVED[:3])
    ledger.number("Examples", "loved film, positive probability", "1.0000", positive)
    ledger.number("Examples", "loved film, final confidence", "100.00%", 100 * positive)
    ledger.number(
        "Examples",
        "loved film, mass of positive tokens in the analysis",
        "99.97%",
        100 * positive,
        "The three printed tokens sum to 99.99 %, between 99.975 and 100.005 with their rounding, and the same example "
        "states 100.00 % as its confidence.",
    )
    for side, log, value in (("positive", "-0.281", math.log(positive)), ("negative", "-10.531", _log_sum(LOVED[3:]))):
        ledger.number(
            "Examples",
            f"loved film, log-probability of {side}",
            log,
            value,
            "It is the largest single token's, not that of the summed probability beside it.",
        )


def _log_sum(lines: tuple[tuple[str, str, str], ...]) -> float:
    return math.log(sum(math.exp(float(log)) for *_, log in lines))


def _agreement(ledger: Ledger) -> None:
    none = (1 - 0.000349) ** 100
    ledger.fact(
        "Consistency",
        "times No comes up in 100 runs",
        "about 1",
        f"{100 * 0.000349:.3f} expected",
        none < 0.5,
        f"No has 0.03 %: {none:.1%} of such experiments never see it. Ninety-nine in a hundred is the share of the one "
        "token 'Yes'; 'yes' and 'YES' are positive too.",
    )
    positive = 0.994130 + 0.003817 + 0.001616
    ledger.fact(
        "Consistency",
        "agreement rate of 100 runs",
        "about 99%",
        f"{positive:.2%}",
        positive < 0.995,
        "Answers are parsed to classes first, and the positive tokens have 99.96 % together.",
    )
