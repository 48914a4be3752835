"""Daily reports of ad platforms by their APIs, read again as long as their numbers move."""

from lakehouse.sources.ad_reports.api import ReportError
from lakehouse.sources.ad_reports.land import land

__all__ = ["ReportError", "land"]
