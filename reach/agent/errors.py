"""What can go wrong between a caller and an agent. Each message says what to do next."""


class AgentError(Exception):
    """The root of these errors."""


class AgentRefusedConnection(AgentError):
    """Nothing listens at the address, or there is no way to it."""


class AgentTimedOut(AgentError):
    """No answer in time."""


class AgentUnauthorized(AgentError):
    """The agent does not accept the token."""


class NotAnAgent(AgentError):
    """Something answers at the address, but it does not speak the protocol."""

    def __init__(self, address: str, answer: str) -> None:
        super().__init__(
            f"What listens at {address} is not an agent: it answered with {answer}. "
            "Check the address and the agent port; another task may have this address by now."
        )


class AgentGone(AgentError):
    """The connection ended before the session did."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"The connection to the agent at {address} ended before the command did. "
            "Read the container's item: it says whether the task was stopped and why."
        )


class SessionRejected(AgentError):
    """The agent's own `error` message: the command cannot be run, there is nothing to attach to."""
