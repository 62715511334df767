"""The contract file: every problem at once with its line, and a digest that means the contract."""

from __future__ import annotations

import random
from importlib import resources

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.contract import Contract
from interlock.core.contract_file import _Loader, parse_contract
from interlock.core.errors import InputError
from interlock.testing import tiny_contract

TEMPLATES = ("manga", "intake", "blank")


def template(name: str) -> bytes:
    return (resources.files("interlock.cli") / "templates" / f"{name}.yaml").read_bytes()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_a_contract_and_survives_its_canonical_form(name: str) -> None:
    contract = parse_contract(template(name))

    assert Contract.from_json(contract.to_json()).digest == contract.digest


def shuffled(value: object, chance: random.Random, *, keep: str = "labels") -> object:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: (value[key] if key == keep else shuffled(value[key], chance)) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@settings(deadline=None)  # a template is read in tens of milliseconds, and longer on a busy machine
@given(seed=st.integers(0, 2**32), name=st.sampled_from(TEMPLATES))
def test_the_digest_does_not_depend_on_key_order_or_comments(seed: int, name: str) -> None:
    whole = yaml.load(template(name), Loader=_Loader)  # noqa: S506 - a safe loader, which keeps `on` a text
    again = yaml.safe_dump(shuffled(whole, random.Random(seed)), sort_keys=False, allow_unicode=True)

    assert parse_contract(f"# another comment\n{again}".encode()).digest == parse_contract(template(name)).digest


def test_the_order_of_labels_is_part_of_the_digest() -> None:
    one = tiny_contract(labels="{yes: {route: yes}, no: {route: no}}")
    other = tiny_contract(labels="{no: {route: no}, yes: {route: yes}}")

    assert one.digest != other.digest


def test_every_problem_is_named_at_once_with_its_path_and_line() -> None:
    text = b"""contract: 1
name: m
label_version: v1
labels:
  a: {route: x, meens: q}
  no: {route: "hu man"}
decide:
  auto: {confidence: 1.4}
  gaurded: {confidence: 0.2}
inputs: {trim: true}
"""
    with pytest.raises(InputError) as caught:
        parse_contract(text, where="c.yaml")

    said = {(problem.where, problem.field) for problem in caught.value.problems}
    assert said == {
        ("c.yaml:5", "labels.a.meens"),
        ("c.yaml:6", "labels.no.route"),
        ("c.yaml:8", "decide.auto.confidence"),
        ("c.yaml:9", "decide.gaurded"),
        ("c.yaml:10", "inputs"),
    }
    assert "did you mean 'means'?" in str(caught.value)
    assert "did you mean 'guarded'?" in str(caught.value)
    assert "did you mean 'input'?" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ("decide: {positive: a, threshold: 0.5, unknown: {}}", "decide.unknown"),
        ("limits: {x: {all: {accuracy: {at_least: 0.5}}, any: {accuracy: {at_least: 0.5}}, at_least: 1}}", "limits.x"),
    ],
)
def test_a_key_of_another_kind_is_not_called_unknown(more: str, field: str) -> None:
    head = "contract: 1\nname: n\nlabel_version: v\nlabels: {a: {route: x}, b: {route: y}}\n"
    with pytest.raises(InputError) as caught:
        parse_contract((head + more).encode(), where="c.yaml")

    problem = caught.value.problems[0]
    assert problem.field.startswith(field)
    assert "did you mean" not in problem.expected


WRONG = {
    "a cost pair of an unknown label": ("costs: {pairs: [[yes, maybe, low]]}", "costs.pairs[0][1]"),
    "a cost pair of an unknown level": ("costs: {pairs: [[yes, no, hi]]}", "costs.pairs[0][2]"),
    "a default cost of an unknown level": ("costs: {default: mediun}", "costs.default"),
    "a positive label that is none": ("decide: {positive: ye, threshold: 0.3}", "decide.positive"),
    "a threshold of one": ("decide: {positive: yes, threshold: 1.0}", "decide.threshold"),
    "a threshold that is not a number": ("decide: {positive: yes, threshold: .nan}", "decide.threshold"),
    "bands the wrong way round": ("decide: {auto: {confidence: 0.3}, guarded: {confidence: 0.5}}", "decide"),
    "a limit on nothing known": ("limits: {acuracy: {at_least: 0.9}}", "limits.acuracy"),
    "a limit on an unknown label": ("limits: {recall.maybe: {at_least: 0.9}}", "limits.recall.maybe"),
    "a limit with two sides": ("limits: {accuracy: {at_least: 0.9, at_most: 1}}", "limits.accuracy"),
    "a limit with no side": ("limits: {accuracy: {}}", "limits.accuracy"),
    "an infinite limit": ("limits: {accuracy: {at_least: .inf}}", "limits.accuracy.at_least"),
    "labels that differ by case": ("labels: {yes: {route: a}, YES: {route: b}}", "labels"),
    "one label only": ("labels: {yes: {route: a}}", "labels"),
    "another format version": ("contract: 2", "contract"),
    "a key twice": ("name: x\nname: y", "name"),
    "a wrong type": ("input: {max_tokens: many}", "input.max_tokens"),
}


@pytest.mark.parametrize(("line", "field"), WRONG.values(), ids=WRONG)
def test_a_contract_is_refused_for(line: str, field: str) -> None:
    base = {
        "contract": "contract: 1",
        "name": "name: n",
        "label_version": "label_version: v",
        "labels": "labels: {yes: {route: yes}, no: {route: no}}",
    }
    base[line.split(":", maxsplit=1)[0]] = line

    with pytest.raises(InputError) as caught:
        parse_contract("\n".join(base.values()).encode())

    assert field in {problem.field for problem in caught.value.problems}


BROKEN = {
    "nothing": b"",
    "a list": b"- a\n- b\n",
    "not UTF-8": b"\xff\xfe",
    "not YAML": b"a: [1, 2\nb: }",
    "an alias bomb's tag": b"a: !!python/object/apply:os.system [ls]\n",
    "a plain word": b"contract",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_bytes_that_are_no_contract_raise_one_clear_error(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_contract(data)


@pytest.mark.parametrize(("data", "got"), [(b"[1]", "a list"), (b"", "nothing"), (b"5", "a text or a number")])
def test_what_has_no_keys_is_told_for_what_it_is(data: bytes, got: str) -> None:
    with pytest.raises(InputError, match=f"expected keys and values, got {got}"):
        parse_contract(data)


def test_a_rule_that_is_a_number_is_told_which_keys_it_needs() -> None:
    text = template("blank").split(b"\nlimits:")[0] + b"\nlimits: {latency_p95_ms: 15, g: {all: [1]}}\n"

    with pytest.raises(InputError) as refused:
        parse_contract(text)
    assert "limits.latency_p95_ms: expected keys and values (known: all, any, at_least, at_most" in str(refused.value)
    assert "got 15" in str(refused.value)
    assert "limits.g.all: expected keys and values, got [1]" in str(refused.value)


def test_labels_called_no_and_on_stay_words() -> None:
    contract = tiny_contract(labels="{no: {route: off}, on: {route: on}}")

    assert contract.label_names == ("no", "on")
    assert contract.labels["no"].route == "off"
