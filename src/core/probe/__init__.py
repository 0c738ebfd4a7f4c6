"""Probes an agent over HTTP until it answers or its deadline passes."""
