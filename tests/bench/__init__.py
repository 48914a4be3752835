"""What the project claims of its speed, measured beside an alternative in the same run: `make bench`."""
