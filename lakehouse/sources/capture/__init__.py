"""Change capture: every committed change of a Postgres, read from its write-ahead log by logical replication."""

from lakehouse.sources.capture.land import land
from lakehouse.sources.capture.slot import CaptureError, drop_slots, lag

__all__ = ["CaptureError", "drop_slots", "lag", "land"]
