"""The refusal of data or settings from which a method cannot give an honest answer."""

from lakehouse.errors import LakehouseError


class UnfitData(LakehouseError, ValueError):
    """Says what was received, what is valid and how to repair it."""
