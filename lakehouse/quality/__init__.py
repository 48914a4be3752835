"""Rules at work: rows tagged with those they fail, and the verdict on what a run is about to publish."""
