"""A local Fargate: the part of the ECS API that runs tasks, and tasks that really run.

boto3 calls it as it calls AWS. Each task gets an address and runs as processes of this machine, without privileges or
a container engine, or as containers of Docker. Every change of a task becomes an event, which is delivered as
EventBridge delivers it. `python -m local.fargate --help` says how it is started.
"""
