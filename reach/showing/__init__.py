"""What is shown of a record: pure functions, for a person and for a script."""
