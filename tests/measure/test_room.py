"""The room stands on numpy and the nouns alone, so that a serving process can measure."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import interlock.measure

ROOT = Path(interlock.measure.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_only_numpy_the_nouns_and_the_standard_library_are_imported() -> None:
    allowed = sys.stdlib_module_names | {"numpy"}
    ours = ("interlock.core.", "interlock.measure")
    strange = {
        (path.name, name)
        for path in FILES
        for name in imported(path)
        if name.partition(".")[0] not in allowed and not name.startswith(ours)
    }

    assert strange == set()


def test_importing_every_file_loads_nothing_heavy() -> None:
    places = [path.relative_to(ROOT).with_suffix("").parts for path in FILES if path.stem != "__init__"]
    modules = ", ".join(".".join(("interlock.measure", *place)) for place in places)
    heavy = "{'scipy', 'sklearn', 'pandas', 'torch', 'matplotlib'}"
    script = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
