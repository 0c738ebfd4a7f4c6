"""`sam local invoke` against the local cloud: each function in a container, as Lambda would run it."""
