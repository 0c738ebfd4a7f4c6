"""Asking an agent until it answers."""
