"""What a process that stands for Lambda needs, and hardly anything to import: it is part of what is measured."""

import resource


def cpu() -> float:
    """Seconds of this process and its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Context:
    """Lambda's, as far as the handlers look at it."""

    function_name = "function"
    memory_limit_in_mb = 512
    aws_request_id = "8f507cfc-0000-4697-b07a-ac58fc914c95"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"

    def get_remaining_time_in_millis(self) -> int:
        return 120_000
