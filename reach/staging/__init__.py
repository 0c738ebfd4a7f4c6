"""Brings the agent to where tasks mount it: its versions side by side, and one of them in use."""
