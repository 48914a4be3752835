"""Reports of ad platforms in common words and units: one mapping file a platform, one SELECT a grain."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from lakehouse.ad_platforms.mapping import COLUMNS, GRAINS, Grain, Lookup, Platform
from lakehouse.errors import LakehouseError

NAMES = (
    "amazon_ads", "apple_search_ads", "google_ads", "linkedin_ads", "meta_ads", "microsoft_ads", "pinterest_ads", "reddit_ads",
    "snapchat_ads", "tiktok_ads", "x_ads",
)  # fmt: skip

__all__ = ["COLUMNS", "GRAINS", "NAMES", "Grain", "Lookup", "Platform", "platform"]


@cache
def platform(name: str) -> Platform:
    """The mapping of a platform: `PLATFORM` in the file of its name."""
    if name not in NAMES:
        raise LakehouseError(
            f"'{name}' is no platform with a mapping. Valid: {', '.join(NAMES)}; a new one is one file in lakehouse/ad_platforms/"
        )
    found: Platform = import_module(f"lakehouse.ad_platforms.{name}").PLATFORM
    return found
