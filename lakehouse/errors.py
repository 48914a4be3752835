"""The root of every error this project raises on purpose."""


class LakehouseError(Exception):
    """Says what was received, what is valid and how to repair it, for the person who reads it."""
