"""Events of a running stack, captured as files that may be shared."""
