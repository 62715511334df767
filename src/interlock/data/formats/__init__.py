"""Files of any known format to raw rows and back, a file per format. Knows nothing of what a row means."""

from interlock.data.formats.choose import FORMATS, format_for, named, raw_rows
from interlock.data.formats.row import RawRow

__all__ = ["FORMATS", "RawRow", "format_for", "named", "raw_rows"]
