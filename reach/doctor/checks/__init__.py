"""Judges what was gathered: a pure function for each thing that can be wrong. Its first line says what it checks.

A check yields a finding for each thing it looks at, or none where the stack does not use it. It raises `NotKnown` when
it needs a fact that is not known.
"""
