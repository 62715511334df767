"""Files of any known format to raw rows and back, a file per format. Knows nothing of what a row means."""

from interlock.data.formats.choose import FORMATS, format_for, raw_rows
from interlock.data.formats.row import RawRow, Row

__all__ = ["FORMATS", "RawRow", "Row", "format_for", "raw_rows"]
