"""A deployed stack: its outputs, its containers by short ids, its functions."""
