"""``interlock new`` and ``interlock demo``: a workspace to start from, and the whole story in one command."""

from __future__ import annotations

import json as jsonlib
import re
from importlib import resources
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import Watching, console

if TYPE_CHECKING:
    from interlock.core.dataset import Dataset

SAMPLE_ROWS = {"manga": 5500, "intake": 900}
YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
DEMO_ROWS = 16_500
DEMO_EPOCHS = 3
DEMO_MESSAGES = (
    "something like naruto but darker?",
    "where is my order, it was supposed to come monday",
    "i want to send back vol 3, the cover was torn",
    "this is the third time, get me a real person NOW",
    "kono manga wa owarimashita ka? is it finished",
    "what's the capital of peru",
    "",
)


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(new)
    app.command(demo)


def new(
    folder: Path,
    *,
    template: Literal["manga", "intake", "blank"] | None = None,
    from_data: Path | None = None,
) -> int:
    """Make a workspace: a contract to edit, a label guide, and sample rows.

    Example: interlock new mine --from-data rows.jsonl

    Args:
        folder: The directory to make.
        template: manga (ten intents, confidence bands), intake (two labels, one threshold) or blank.
        from_data: Write the contract for the labels of this file instead: every label its own route.
    """
    from interlock.core.errors import InputError

    if (template is None) == (from_data is None):
        raise InputError("give either --template manga|intake|blank or --from-data FILE")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not an empty directory", todo="Give a new directory.")
    if template is not None:
        write_workspace(folder, *_template(template))
    else:
        write_workspace(folder, *_from_data(from_data or Path()))
    names = "contract.yaml, label_guide.md" + (", rows.jsonl" if from_data is None else "")
    data = from_data or folder / "rows.jsonl"
    said = f"{folder}: {names}\nnext: interlock build --contract {folder}/contract.yaml --data {data} -o runs/1"
    console().print(said, markup=False, soft_wrap=True)
    return 0


def write_workspace(folder: Path, contract: str, rows: list[dict[str, Any]] | Dataset) -> None:
    """Write the files of a workspace; rows that are a dataset already stay where they are."""
    from interlock.core.contract_file import parse_contract
    from interlock.data.cards import label_guide
    from interlock.data.read import read

    terms = parse_contract(contract.encode())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(contract, encoding="utf-8")
    if isinstance(rows, list):
        (folder / "rows.jsonl").write_text(
            "".join(jsonlib.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
        )
        rows = read(folder / "rows.jsonl", labels=terms.label_names)
    (folder / "label_guide.md").write_text(label_guide(terms, rows), encoding="utf-8")


def _template(name: str) -> tuple[str, list[dict[str, Any]]]:
    from interlock.data.traffic import simulate, simulate_intake

    here = resources.files("interlock.cli") / "templates"
    contract = (here / f"{name}.yaml").read_text(encoding="utf-8")
    if name == "manga":
        return contract, list(simulate(SAMPLE_ROWS[name], seed=7))
    if name == "intake":
        return contract, list(simulate_intake(SAMPLE_ROWS[name], seed=7))
    return contract, [jsonlib.loads(line) for line in (here / "blank.jsonl").read_text(encoding="utf-8").splitlines()]


def _from_data(path: Path) -> tuple[str, Dataset]:
    """Write a contract for the labels of a file; what cannot be read from rows is a default with a comment."""
    from interlock.core.errors import InputError
    from interlock.data.read import read

    rows = read(path)
    counts = rows.counts()
    if len(counts) < 2:  # noqa: PLR2004 - a choice needs two
        raise InputError(
            f"{path} carries one label only; a router needs at least two", todo="Label rows of another kind."
        )
    labels = "\n".join(
        f"  {_quoted(label)}: {{route: {route if _plain(route) else _quoted(route)}}} # {counts[label]} rows"
        for label, route in _routes(sorted(counts)).items()
    )
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._")[:60] or "data"
    tokens = _token_limit(rows)
    return FROM_DATA.format(file=_quoted(path.name), name=name, labels=labels, tokens=tokens), rows


def _routes(labels: list[str]) -> dict[str, str]:
    """Return a route for each label, no two alike, with the characters that names of routes may have."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for label in labels:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", label).strip("-._")[:90] or "route"
        tries = (plain if number == 1 else f"{plain}_{number}" for number in count(1))
        found[label] = next(name for name in tries if name not in taken)
        taken.add(found[label])
    return found


def _plain(route: str) -> bool:
    """Whether YAML reads ``route`` as text without quotes: no number, no truth, no null."""
    return route[0].isalpha() and route.lower() not in YAML_WORDS


def _quoted(text: str) -> str:
    """Return ``text`` as YAML reads it back: nothing in it is a number, a sign or the end of a line."""
    return jsonlib.dumps(text, ensure_ascii=False)


def _token_limit(rows: Dataset) -> int:
    """Return the smallest usual limit with room for twice the words of 99.9 % of the messages."""
    words = sorted(len(text.split()) for text in rows.texts)
    longest = 2 * words[min(len(words) - 1, int(0.999 * len(words)))]
    return next((limit for limit in (64, 128, 256) if longest <= limit), 512)


FROM_DATA = """\
# Written from the labels of {file}: every label its own route. Edit it; `means` and `not` make the label guide.
contract: 1
name: {name}-router
label_version: {name}-labels-v1
labels: # this order is the column order of every array of scores
{labels}

input: {{version: input-v1, trim: true, max_tokens: {tokens}, max_chars: 8000}}
fallback: {{uncertain: human_review, failure: human_review}}
decide:
  auto: {{confidence: 0.80, margin: 0.20}} # routed
  guarded: {{confidence: 0.55}} # routed and marked for audit; below it, the uncertain fallback
  unknown: {{keep_known: 0.95}} # the gate lets through this share of messages of known kinds

limits: # judged by the bound of the 95 % interval; raise them as you learn what your traffic needs
  accuracy: {{at_least: 0.85}}
  ece: {{at_most: 0.05}}
  latency_p95_ms: {{at_most: 15}}
  quantization_accuracy_loss: {{at_most: 0.01}} # of the int8 graph against fp32, on the same rows
  accuracy_vs_champion: {{at_least: 0}} # without a champion: against the best baseline
"""


def demo(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("demo"),
    rows: int = DEMO_ROWS,
    encoder: str = "minilm",
) -> int:
    """Show the whole story on the embedded world: make traffic, train, judge, pack, and route a few messages.

    Example: interlock demo -o demo

    Args:
        out: The directory to make; it is the workspace, and holds the run.
        rows: Messages to synthesise.
        encoder: As for build.
    """
    from interlock.build import build
    from interlock.cli.build import show
    from interlock.cli.route import print_explanation
    from interlock.core.errors import InputError
    from interlock.data.traffic import simulate
    from interlock.train.recipe import Recipe

    screen = console()
    if out.exists() and not (out / "demo.json").is_file() and any(out.iterdir()):
        raise InputError(f"{out} is not empty and holds no demo", todo="Give a new directory with -o.")
    _clear(out)
    screen.print(f"[bold]1. The world[/]: {rows} messages of a manga shop's customers, in {out / 'rows.jsonl'}")
    here = resources.files("interlock.cli") / "templates"
    write_workspace(out, (here / "manga.yaml").read_text(encoding="utf-8"), list(simulate(rows, seed=7)))
    (out / "demo.json").write_text('{"demo": 1}\n', encoding="utf-8")
    screen.print(
        "[bold]2. Build[/]: split by customer, train beside baselines, calibrate, measure, judge, pack, verify"
    )
    with Watching() as watch:
        built = build(
            contract=out / "contract.yaml",
            data=out / "rows.jsonl",
            out=out / "run",
            encoder=encoder,
            recipe=Recipe(epochs=DEMO_EPOCHS),
            watch=watch,
        )
    screen.print("[bold]3. The verdict[/]")
    show(built)
    screen.print("[bold]4. Messages[/]")
    for text in DEMO_MESSAGES:
        found = built.bundle.explain(text)
        decision = found.trace.decision
        screen.print(
            f"\n{text!r}\n  [bold]{decision.outcome.value}[/] to [bold]{decision.route}[/] ({decision.reason.value})"
        )
        print_explanation(found)
    screen.print(f'\nTry: interlock route {built.run / "bundle"} "your message" --explain', soft_wrap=True)
    return 0


def _clear(folder: Path) -> None:
    import shutil

    if folder.exists():
        shutil.rmtree(folder)
