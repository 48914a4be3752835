"""How data comes in: connectors that land objects, and strict readers of what was landed."""
