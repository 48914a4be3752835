"""A marketing lakehouse in which one file declares one table."""
