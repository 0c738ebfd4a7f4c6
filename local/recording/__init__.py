"""`python -m local record`: the events of a running stack, as files that may be shared."""
