"""The laptop cloud: an AWS on loopback, the real template deployed to it, and Fargate tasks that really run."""
