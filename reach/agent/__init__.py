"""What an operator does inside a container, through its agent."""
