"""Broken and odd input for everything that parses: nothing but the documented refusals may come of it.

`targets` are the parsers with what they may raise, `seeds` real documents of this tree, `mutation` what is done to
them. What once broke a parser stays in `corpus`, one directory for each target. `python -m tests.fuzz` looks for more.
"""
