"""The ECS API: its operations, their requests, answers and refusals."""
