"""Which touches earned a conversion: rules, Markov chains, Shapley values, a logistic challenger."""
