"""Processes of this machine as the place where tasks run: no privileges, no container engine."""
