"""Runs: one table computed once, audited before anyone sees it, published in one commit."""

from lakehouse.delta.session import interrupt
from lakehouse.quality.audit import Stopped
from lakehouse.run.cut import Cut, last_cut, read_cut, write_cut
from lakehouse.run.engine import run_table
from lakehouse.run.land import land, watermarks
from lakehouse.run.maintain import maintain
from lakehouse.run.report import Report

__all__ = ["Cut", "Report", "Stopped", "interrupt", "land", "last_cut", "maintain", "read_cut", "run_table", "watermarks", "write_cut"]
