"""A reference implementation of the agent (docs/agent-protocol.md), for the tasks of the local cloud and of tests."""
