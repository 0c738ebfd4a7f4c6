"""The ECS API: what is answered to a request, and what a request leads to."""
