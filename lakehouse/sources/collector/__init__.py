"""The collector: an HTTP endpoint that takes events, writes them to disk before it says so, and lands them by the hour."""
