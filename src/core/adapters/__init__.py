"""The world: DynamoDB, ECS, SQS, and the agent's HTTP. The only place that imports boto3 or opens a socket."""
