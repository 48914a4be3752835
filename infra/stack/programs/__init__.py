"""The programs of the stack: how each is prepared, started and known to be ready."""
