"""Delta tables: where they lie, what their log says (without Spark), and sessions that read and write them."""
