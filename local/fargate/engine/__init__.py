"""A container engine (Docker) as the place where tasks run: what `docker_runtime` is made of."""
