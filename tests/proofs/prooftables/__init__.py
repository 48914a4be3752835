"""Small tables, at least one for each way of reading and writing that the engine has; the proofs run on them."""
