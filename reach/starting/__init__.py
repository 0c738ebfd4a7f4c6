"""A start request out of a command line and a file, and its way to the function."""
