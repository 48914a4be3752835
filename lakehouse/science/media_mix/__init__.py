"""What media brought: adstock, saturation, a Bayesian model calibrated by experiments, and where to put the
budget."""
