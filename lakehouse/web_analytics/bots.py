"""Robots by what they call themselves. RFC 9110 (10.1.5) has user agents name themselves; robots that keep to it say so in these words."""

from __future__ import annotations

WORDS = (
    "bot", "crawl", "spider", "slurp", "archiver", "scrap", "fetch", "headless", "phantomjs", "selenium", "puppeteer", "playwright",
    "facebookexternalhit", "preview", "monitor", "pingdom", "uptime", "lighthouse", "pagespeed", "semrush", "ahrefs", "curl/", "wget/",
    "python-requests", "python-urllib", "httpx", "okhttp", "go-http-client", "java/", "libwww", "validator", "feedparser", "gptbot",
)  # fmt: skip
NOT_BOTS = ("cubot",)
"""Words that hold one of those and are none: Cubot makes telephones."""


def is_bot(user_agent: str) -> str:
    """SQL that is true where the column `user_agent` names a robot. An empty one says nothing: servers that send events have none."""
    words, others = "|".join(WORDS), "|".join(NOT_BOTS)
    lower = f"lower({user_agent})"
    return f"coalesce(regexp_like(regexp_replace({lower}, '{others}', ''), '{words}'), false)"
