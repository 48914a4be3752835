"""Series over time: forecasts, vector autoregressions, backtests."""
