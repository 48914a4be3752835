"""Web events in SQL for a job's SELECT: which are robots', which belong to one visit, which channel brought it."""

from lakehouse.web_analytics.bots import is_bot
from lakehouse.web_analytics.channels import RULES, channel
from lakehouse.web_analytics.sessions import counted, in_sessions, sessions

__all__ = ["RULES", "channel", "counted", "in_sessions", "is_bot", "sessions"]
