"""How much of a message is looked at. What is over is cut and told in `problems`; the original stays in the object store."""

from __future__ import annotations

from typing import Final

# Gmail takes 25 MB outwards and 50 MB inwards.
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
MAX_HEADER_BLOCK_BYTES: Final = 256 * 1024
MAX_HEADERS: Final = 400
MAX_HEADER_CHARS: Final = 16 * 1024
MAX_ADDRESSES: Final = 500
MAX_REFERENCES: Final = 100
MAX_ID_CHARS: Final = 998
MAX_DEPTH: Final = 24
MAX_PARTS: Final = 500
MAX_TEXT_CHARS: Final = 1_000_000
MAX_HTML_CHARS: Final = 1_500_000
# The HTML parser walks the stack of open elements at each tag: both bounds keep the product small.
MAX_HTML_TAGS: Final = 60_000
MAX_HTML_DEPTH: Final = 2_000
MAX_SUBJECT_CHARS: Final = 998
MAX_FILENAME_CHARS: Final = 200
MAX_CALENDAR_BYTES: Final = 512 * 1024
MAX_ATTENDEES: Final = 300
