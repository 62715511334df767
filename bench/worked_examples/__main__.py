"""Write ``docs/worked_examples.md`` and print the counts as one JSON object: ``python -m bench.worked_examples``."""

from __future__ import annotations

import json
from pathlib import Path

from bench.worked_examples.document import DOCUMENTS, claims, counts, page

PAGE = Path(__file__).parents[2] / "docs" / "worked_examples.md"


def main() -> None:
    """Write the page."""
    found = claims()
    PAGE.write_text(page(found), encoding="utf-8")
    by = {source: counts(claim for claim in found if claim.source == source) for source, _ in DOCUMENTS}
    print(json.dumps({"claims": len(found), **counts(found), "documents": by}))


if __name__ == "__main__":
    main()
