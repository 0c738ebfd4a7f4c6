"""The pure core: facts in, records and actions out. Only `core.adapters` touches the world."""
