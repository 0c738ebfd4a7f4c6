"""A reference implementation of the agent, for tasks that run on this machine.

In Fargate the agent is a separate binary; this one speaks the same protocol, so that the local cloud and
the tests can inject, find and use an agent as the real stack does.
"""
