"""Turns a start request into the documents of RegisterTaskDefinition and RunTask. Pure."""
