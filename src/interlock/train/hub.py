"""The model card of a folder that goes to the Hugging Face Hub. Knows no measurements: an estimator has none."""

from __future__ import annotations

import json

from interlock.train.fit import Fitted


def hub_card(fitted: Fitted) -> str:
    """Return ``README.md`` with the Hub's front matter."""
    recipe = json.dumps(fitted.recipe.to_json(), indent=1)
    labels = "\n".join(f"- {json.dumps(label, ensure_ascii=False)}" for label in fitted.labels)
    return f"""---
library_name: transformers
pipeline_tag: text-classification
tags:
- interlock
- intent-classification
---

# A text classifier over {len(fitted.labels)} labels

Fine-tuned from `{fitted.encoder.name}` with Interlock. Its probabilities are not calibrated, and nothing was measured
on held-out rows: `interlock build` makes a router with both.

## Labels

{labels}

## Recipe

```json
{recipe}
```
"""
