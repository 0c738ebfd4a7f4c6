"""What the functions do: start, stop, settle, reconcile."""
