"""What the lakehouse contains: one file per table or model; the folder is the layer."""
