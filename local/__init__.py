"""What runs on a laptop only: an AWS, a Fargate, the reference agent, the demo. Nothing of it is deployed."""
