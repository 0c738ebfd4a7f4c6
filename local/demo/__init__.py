"""`make demo`: containers start on the local cloud, their agents are found, a command runs in one of them."""
