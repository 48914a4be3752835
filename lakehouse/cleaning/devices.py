"""What a browser says it is."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

BOTS = re.compile(r"bot\b|bot/|crawl|spider|slurp|preview|monitor|curl/|wget/|python-|httpclient|headless|lighthouse|scrapy",
    re.IGNORECASE)


class Device(NamedTuple):
    """The kind of device (phone, tablet, computer, tv, bot, other), browser and system."""

    kind: str
    browser: str | None
    system: str | None
    is_bot: bool


@lru_cache(maxsize=8_192)
def device(user_agent: str | None) -> Device | None:
    """Families by ua-parser's public rules (uap-core); crawlers of every kind are bots."""
    if not user_agent or not user_agent.strip():
        return None
    import ua_parser

    found = ua_parser.parse(user_agent)
    browser = found.user_agent.family if found.user_agent else None
    system = found.os.family if found.os else None
    family = found.device.family if found.device else ""
    if family == "Spider" or BOTS.search(user_agent):
        return Device("bot", browser, system, True)
    return Device(_kind(user_agent, system or "", family), browser, system, False)


def _kind(user_agent: str, system: str, family: str) -> str:
    if family == "iPad" or "Tablet" in user_agent or (system == "Android" and "Mobile" not in user_agent and "TV" not in user_agent):
        return "tablet"
    if re.search(r"SmartTV|SMART-TV|AppleTV|GoogleTV|BRAVIA|CrKey|Roku|\bTV\b", user_agent):
        return "tv"
    if family == "iPhone" or "Mobile" in user_agent or system in ("Windows Phone", "BlackBerry OS", "KaiOS"):
        return "phone"
    return "computer" if system in ("Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "FreeBSD") else "other"
