"""The small parts of training: weights, dropout, losses, what an epoch shows, warnings."""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.dataset import Example, TrainSet
from interlock.core.errors import InputError
from interlock.train.batches import shown_rows
from interlock.train.dropout import Noise, SeededDropout, seed_dropout
from interlock.train.fit import judges_of
from interlock.train.loop import scores
from interlock.train.loss import brier_loss, contrastive_loss, divergence
from interlock.train.recipe import Recipe
from interlock.train.step import Stepper
from interlock.train.watchdog import Watchdog
from interlock.train.weights import class_weights, rarest, repeats, schedule

COUNTS = st.lists(st.integers(1, 5000), min_size=2, max_size=8)


@given(COUNTS, st.sampled_from(["inverse", "effective", "none"]))
def test_whatever_the_kind_the_mean_weight_of_a_row_is_one(counts: list[int], kind: Any) -> None:
    by_label = {str(i): count for i, count in enumerate(counts)}
    weights = class_weights(by_label, list(by_label), kind=kind)

    assert float(weights @ np.array(counts) / sum(counts)) == pytest.approx(1, rel=1e-5)


def test_the_effective_number_lies_between_no_weights_and_inverse_frequencies() -> None:
    counts = {"rare": 10, "common": 10_000}
    inverse, effective, none = (class_weights(counts, list(counts), kind=k) for k in ("inverse", "effective", "none"))

    assert inverse[0] / inverse[1] == pytest.approx(1000)
    assert effective[0] / effective[1] == pytest.approx((1 - 0.999**10_000) / (1 - 0.999**10))
    assert none[0] == none[1] == 1


def test_a_label_without_rows_weighs_nothing() -> None:
    assert class_weights({"a": 3}, ["a", "b"], kind="effective")[1] == 0


@given(COUNTS, st.floats(0, 1))
def test_oversampling_shows_no_row_less_than_once_and_none_of_the_commonest_twice(
    counts: list[int], share: float
) -> None:
    shown = repeats({str(i): count for i, count in enumerate(counts)}, oversample=share)

    assert all(times >= 1 for times in shown.values())
    assert shown[str(counts.index(max(counts)))] == 1
    if share == 1:
        assert [round(shown[str(i)] * count) for i, count in enumerate(counts)] == [max(counts)] * len(counts)


@given(st.lists(st.sampled_from([1.0, 1.5, 2.0, 3.25]), min_size=1, max_size=60), st.integers(0, 5))
def test_every_epoch_shows_as_many_rows_and_each_as_often_as_it_should(times: list[float], seed: int) -> None:
    shown = Counter(shown_rows(times, seed=seed))

    assert sum(shown.values()) == sum(Counter(shown_rows(times, seed=seed + 1)).values())
    assert all(math.floor(want) <= shown[row] <= math.ceil(want) for row, want in enumerate(times))


def test_the_cosine_falls_from_one_to_zero_through_a_half() -> None:
    values = [schedule(step, total=100, warmup=20, decay="cosine") for step in (20, 60, 100)]

    assert values == pytest.approx([1, 0.5, 0])


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 0.9), st.integers(0, 1000))
def test_dropout_drops_its_share_and_keeps_the_mean(p: float, seed: int) -> None:
    layer = SeededDropout(p, Noise(seed)).train()
    out = layer(torch.ones(300, 300))

    assert float((out == 0).float().mean()) == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / 90_000))
    assert float(out.max()) == pytest.approx(1 / (1 - p), rel=1e-3)


def test_the_masks_of_a_step_depend_on_seed_and_step_alone() -> None:
    noise = Noise(3)
    layer, ones = SeededDropout(0.5, noise).train(), torch.ones(7, 9)
    noise.start(5)
    first, second = layer(ones), layer(ones)
    noise.start(5)

    assert torch.equal(layer(ones), first)
    assert not torch.equal(first, second)
    assert torch.equal(layer.eval()(ones), ones)


def test_every_dropout_layer_is_replaced_and_none_else() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sequential(torch.nn.Dropout(0.3)), torch.nn.Dropout(0))
    seed_dropout(model, Noise(1))

    assert [type(module).__name__ for module in model.modules()].count("SeededDropout") == 2
    assert not any(isinstance(module, torch.nn.Dropout) for module in model.modules())


def test_the_divergence_of_two_passes_is_the_mean_of_both_kullback_leibler_divergences() -> None:
    p, q = torch.tensor([[0.7, 0.3]]), torch.tensor([[0.4, 0.6]])
    forth = 0.7 * math.log(0.7 / 0.4) + 0.3 * math.log(0.3 / 0.6)
    back = 0.4 * math.log(0.4 / 0.7) + 0.6 * math.log(0.6 / 0.3)

    assert float(divergence(p.log(), q.log())) == pytest.approx((forth + back) / 2, rel=1e-5)
    assert float(divergence(p.log(), p.log())) == 0


def test_the_brier_loss_of_a_row_is_its_squared_distance() -> None:
    logits = torch.tensor([[0.7, 0.3]]).log()

    assert float(brier_loss(logits, torch.tensor([[1.0, 0.0]]))) == pytest.approx(0.09 + 0.09)


def test_the_contrastive_loss_is_least_when_rows_of_a_label_point_one_way() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    sorted_rows = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    mixed = sorted_rows[[0, 2, 1, 3]]

    assert float(contrastive_loss(sorted_rows, labels).mean()) < 0.01 < float(contrastive_loss(mixed, labels).mean())
    assert contrastive_loss(torch.randn(1, 3), torch.tensor([0])).tolist() == [0.0]


def test_an_epoch_is_chosen_by_rows_it_did_not_learn_from_and_groups_stay_whole() -> None:
    train = TrainSet(
        tuple(Example(f"r{i}", f"text {i}", ("a" if i % 3 else "b",), group=f"g{i // 4}") for i in range(400))
    )
    learnt, judging = judges_of(train, seed=1)

    assert len(learnt) + len(judging) == 400
    assert 20 <= len(judging) <= 65
    assert not {row.group for row in learnt} & {row.group for row in judging}


def test_no_label_loses_its_last_row_to_the_rows_an_epoch_is_chosen_by() -> None:
    train = TrainSet(tuple(Example(f"r{i}", "x", (f"label {i}",)) for i in range(100)))

    assert len(judges_of(train, seed=1)[1]) == 0


def test_the_rarest_labels_are_a_tenth_at_least_one() -> None:
    assert rarest({"a": 5, "b": 1, "c": 9}, ["a", "b", "c"]) == [1]
    assert len(rarest({str(i): i for i in range(50)}, [str(i) for i in range(50)])) == 5


def test_what_an_epoch_line_says_is_what_scikit_learn_says() -> None:
    from sklearn.metrics import f1_score, recall_score

    chance = np.random.default_rng(0)
    gold, logits = chance.integers(0, 4, 200), torch.from_numpy(chance.normal(size=(200, 4)))
    found = scores(logits, torch.nn.functional.one_hot(torch.from_numpy(gold), 4).double(), rare=[2])

    assert found["val_macro_f1"] == pytest.approx(f1_score(gold, logits.argmax(1), average="macro"))
    assert found["val_rare_recall"] == pytest.approx(recall_score(gold, logits.argmax(1), average=None)[2])


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", 0), ("learning_rate", math.nan), ("suspects", 1.1), ("rdrop", -1.0), ("seed", -1)]
)
def test_a_recipe_that_makes_no_sense_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        Recipe(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"track": "head"}, {"track": "lora"}, {"seed": 2**31 - 2}])
def test_a_soup_that_cannot_be_cooked_is_refused_before_the_first_model_is_trained(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="recipe"):
        Recipe(soup=3, **options)
    Recipe(**options)


def warnings_of(lines: list[dict[str, Any]]) -> list[str]:
    said: list[str] = []
    dog = Watchdog(lambda line: said.append(line["code"]))
    for line in lines:
        dog.see(line)
    return said


def step(number: int, *, loss: float = 1.0, clipped: int = 0, input_share: float = 0.0) -> dict[str, Any]:
    line = {"event": "step", "step": number, "steps": 1000, "loss": loss}
    return {**line, "clipped": clipped, "input_share": input_share}


def epoch(train: float, val: float, rare: float = 0.9) -> dict[str, Any]:
    return {"event": "epoch", "train_loss": train, "val_loss": val, "val_rare_recall": rare}


def test_clipping_is_warned_of_above_fifteen_percent_of_the_first_two_hundred_steps_once() -> None:
    assert warnings_of([step(25 * i, clipped=4) for i in range(1, 8)]) == []
    assert warnings_of([step(25 * i, clipped=5) for i in range(1, 20)]) == ["gradient.clipped"]
    assert warnings_of([step(200 + 25 * i, clipped=25) for i in range(1, 9)]) == []


def test_a_gradient_that_is_always_clipped_alike_is_no_reason_to_warn() -> None:
    assert warnings_of([{**step(25 * i, clipped=25), "spiked": 1} for i in range(1, 9)]) == []
    assert warnings_of([{**step(25 * i, clipped=25), "spiked": 5} for i in range(1, 9)]) == ["gradient.clipped"]


def test_a_spike_is_a_norm_over_twice_the_median_of_the_steps_before() -> None:
    stepper = object.__new__(Stepper)
    stepper.norms = deque(maxlen=50)

    assert not any(stepper._unusual(norm) for norm in (9.0, *[3.0] * 9))  # too few before
    assert not stepper._unusual(6.0)
    assert stepper._unusual(6.1)


def test_a_loss_that_explodes_is_told_from_one_that_wavers() -> None:
    assert warnings_of([step(25 * i, loss=loss) for i, loss in enumerate([2.0, 1.0, 0.1, 0.5, 0.2], 1)]) == []
    assert warnings_of([step(25 * i, loss=loss) for i, loss in enumerate([2.0, 1.0, 0.9, 7.0], 1)]) == ["loss.exploded"]


def test_held_rows_that_get_worse_while_training_gets_better_are_warned_of() -> None:
    assert warnings_of([epoch(1, 1), epoch(0.8, 1.1), epoch(0.6, 1.05)]) == []
    assert warnings_of([epoch(1, 1), epoch(0.8, 1.1), epoch(0.6, 1.2)]) == ["overfitting"]


def test_a_rare_label_that_is_never_found_is_warned_of() -> None:
    assert warnings_of([epoch(1 / i, 1 / i, rare=0.2) for i in range(1, 4)]) == ["rare.flat"]
    assert warnings_of([epoch(1 / i, 1 / i, rare=0.2 * i) for i in range(1, 4)]) == []


def test_waiting_for_input_is_warned_of() -> None:
    assert warnings_of([step(25, input_share=0.4)]) == ["input.bound"]
