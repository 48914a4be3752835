"""How near to a known truth the measurement comes, beside others' methods on the same data: `make scorecard`."""
