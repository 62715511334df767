"""An event as a row of text, and back. Knows no database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from interlock.core.errors import InputError, RefusedError
from interlock.core.event import Event

COLUMNS = "request_id, at, text_digest, subject_digest, bundle_digest, decision, metadata"


def row_of(event: Event) -> tuple[str | None, ...]:
    """Return the values of ``COLUMNS``."""
    return (
        event.request_id,
        event.at,
        event.text_digest,
        event.subject_digest,
        event.bundle_digest,
        event.decision,
        json.dumps(dict(event.metadata), separators=(",", ":"), sort_keys=True) if event.metadata else "{}",
    )


def event_of(row: Sequence[Any]) -> Event:
    """Return the event of a row.

    Raises:
        RefusedError: the row was damaged.
    """
    request_id, at, text_digest, subject_digest, bundle_digest, decision, metadata = row
    try:
        return Event(request_id, at, text_digest, subject_digest, bundle_digest, decision, json.loads(metadata))
    except (InputError, ValueError, TypeError) as error:
        raise RefusedError("the event kept under this request_id is damaged") from error


def kept_or_damaged(row: Sequence[Any]) -> Event | RefusedError:
    """Return the event of a row, or the error that says it was damaged: one row's damage is not its group's."""
    try:
        return event_of(row)
    except RefusedError as error:
        return error
