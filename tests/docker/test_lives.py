"""The end-to-end tests of lives and failures, with real containers: the same functions, another runtime."""

from tests.e2e.test_failures import (  # noqa: F401 - collected here
    _all_started,
    test_a_failed_container_can_be_started_again,
    test_a_failure_says_what_happened_and_what_to_do,
    test_an_unreachable_task_is_stopped,
)
from tests.e2e.test_lives import (  # noqa: F401 - collected here
    test_a_container_is_stopped_and_started_again,
    test_a_job_ends_with_its_exit_code,
    test_a_killed_container_is_stopped,
    test_a_token_can_travel_in_a_parameter,
    test_an_agent_is_found_and_runs_commands,
    test_an_older_generation_is_over,
    test_simultaneous_starts_are_one_start,
)
