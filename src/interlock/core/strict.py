"""What every file of ours is checked with: models that refuse unknown keys, and names and numbers within bounds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def later(default: Any) -> Any:
    """Declare a key that is younger than the format: at its default it is left out, so that older digests stay."""
    return Field(default=default, exclude_if=lambda value: value == default)


class Strict(BaseModel):
    """Unknown keys are refused, values never change after parsing."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=False)
