"""A container engine (Docker) as the place where tasks run. `runtime` is made of the other modules."""
