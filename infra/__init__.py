"""The machine the lakehouse stands on."""
