"""Text whose encoding was broken on the way, repaired."""

from __future__ import annotations

import html
import re

CLOSING_QUOTE_BY_MAC = "â€ù"
"""What Mac Roman shows of a closing quote that Windows wrote as UTF-8; ftfy knows the other quotes, not this one."""


def plain_text(text: str | None) -> str | None:
    """Mojibake undone (`â€œ` → `“`), HTML entities resolved, control characters gone, blanks one at a time; None where nothing is left.

    Repair follows ftfy (Speer 2019): a sequence is only changed where it is far likelier rubbish than text.
    """
    if text is None:
        return None
    import ftfy

    text = text.replace(CLOSING_QUOTE_BY_MAC, "”")
    fixed = ftfy.fix_text(html.unescape(ftfy.fix_text(text, uncurl_quotes=False)), uncurl_quotes=False)
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]", "", fixed)).strip() or None
