"""One answer from many studies, without simulation: random effects and small-study checks."""
