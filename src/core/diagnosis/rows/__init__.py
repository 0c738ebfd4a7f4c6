"""The rows of the diagnosis, by subject."""
