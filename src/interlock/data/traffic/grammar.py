"""A small generative grammar: lines with alternatives and slots, expanded with seeded chance. Knows no subject matter.

Notation of a line: ``{a|b}`` is one of, ``[x]`` is there half of the time, ``<name>`` is another rule or, when no rule
has that name, a slot the scene fills. Compiled once, because a world expands each line thousands of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from interlock.core.errors import InputError

HALF = 0.5  # how often an optional part is there
_TOKEN = re.compile(r"[{}\[\]|]|<[A-Za-z_0-9]+>|[^{}\[\]|<]+")


class Scene(Protocol):
    """What a line is expanded in: a source of chance and the values of its slots."""

    @property
    def random(self) -> Callable[[], float]:
        """A draw from [0, 1)."""
        ...

    def fill(self, name: str) -> str:
        """Return the words for one slot."""
        ...


Part = Callable[[Scene, list[str]], None]


class Grammar:
    """Named rules and lines that may refer to them."""

    def __init__(self, rules: Mapping[str, str]) -> None:
        """Compile every rule; ``rules`` maps a name to one alternative a line."""
        self._rules: dict[str, Part] = {}
        for name, block in rules.items():
            self._rules[name] = _one_of([self.compile(line) for line in lines_of(block)])

    def compile(self, line: str) -> Part:
        """Return the line as a function that appends its words."""
        tokens = _TOKEN.findall(" ".join(line.split(" ")) if "  " not in line else re.sub(r" +", " ", line))
        part, used = self._alternatives(tokens, 0, end="")
        if used != len(tokens):
            raise InputError(f"phrase {line!r} closes a bracket it never opened")
        return part

    def goals(self, blocks: Mapping[str, str]) -> dict[str, list[Part]]:
        """Compile goal blocks: a speech act's name to its realisations, one a line."""
        return {goal: [self.compile(line) for line in lines_of(block)] for goal, block in blocks.items()}

    def _alternatives(self, tokens: list[str], at: int, *, end: str) -> tuple[Part, int]:
        options: list[list[Part]] = [[]]
        while at < len(tokens) and tokens[at] != end:
            mark = tokens[at]
            at += 1
            if mark in "{[":
                part, at = self._alternatives(tokens, at, end="}" if mark == "{" else "]")
                at += 1
                options[-1].append(_maybe(part) if mark == "[" else part)
            elif mark == "|":
                options.append([])
            elif mark in "}]":
                return _one_of([_sequence(option) for option in options]), at - 1
            elif mark[0] == "<":
                options[-1].append(self._named(mark[1:-1]))
            else:
                options[-1].append(_literal(mark))
        return _one_of([_sequence(option) for option in options]), at

    def _named(self, name: str) -> Part:
        rules = self._rules

        def named(scene: Scene, out: list[str]) -> None:
            rule = rules.get(name)
            if rule is None:
                out.append(scene.fill(name))
            else:
                rule(scene, out)

        return named


def lines_of(block: str) -> list[str]:
    """Return the non-empty lines of a phrase block, trimmed."""
    return [line.strip() for line in block.splitlines() if line.strip()]


def choose(options: list[Part], scene: Scene) -> Part:
    """Return one of the compiled lines."""
    return options[int(scene.random() * len(options))]


def say(part: Part, scene: Scene) -> str:
    """Expand one compiled line."""
    out: list[str] = []
    part(scene, out)
    return "".join(out)


def _literal(words: str) -> Part:
    def literal(_: Scene, out: list[str]) -> None:
        out.append(words)

    return literal


def _sequence(parts: Iterable[Part]) -> Part:
    steps = tuple(parts)
    if len(steps) == 1:
        return steps[0]

    def sequence(scene: Scene, out: list[str]) -> None:
        for step in steps:
            step(scene, out)

    return sequence


def _one_of(options: list[Part]) -> Part:
    if len(options) == 1:
        return options[0]
    count = len(options)

    def one_of(scene: Scene, out: list[str]) -> None:
        options[int(scene.random() * count)](scene, out)

    return one_of


def _maybe(part: Part) -> Part:
    def maybe(scene: Scene, out: list[str]) -> None:
        if scene.random() < HALF:
            part(scene, out)

    return maybe
