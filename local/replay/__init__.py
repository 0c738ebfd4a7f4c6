"""`python -m local replay`: what became of containers, lived again from recorded events."""
