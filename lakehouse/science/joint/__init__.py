"""One answer per channel from media mix, experiments and attribution."""
