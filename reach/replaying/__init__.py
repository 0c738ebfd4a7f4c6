"""Recorded events: read from whatever wraps them, and lived again offline."""
