"""A local Fargate: the part of the ECS API that runs tasks, and tasks that really run.

It stands where ECS stands: boto3 talks to it as to AWS, each task gets an address of its own on the loopback
network and runs as operating system processes, and every change of a task becomes an event that is delivered as
EventBridge would. No privileges, no container engine. `python -m local.fargate --help` says how it is started.
"""
