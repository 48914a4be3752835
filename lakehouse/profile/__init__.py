"""What a file or a table holds: types, gaps, values, patterns, likely keys and likely personal data."""

from lakehouse.profile.columns import Profile, profiled
from lakehouse.profile.sniff import Sniffed, sniff

__all__ = ["Profile", "Sniffed", "profiled", "sniff"]
