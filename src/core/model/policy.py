"""The numbers that decide when something is late (contract.md 7). `core.launch.settings` reads them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All durations in seconds."""

    agent_port: int = 9111
    task_subnets: tuple[str, ...] = ()
    """In the order of the request: it decides between several network interfaces."""
    launch_attempts: int = 2
    """Tasks started for one generation at most, when they fail before the container ran and may succeed later."""
    health_timeout: float = 60
    start_timeout: float = 300
    early_probe: bool = False
    """Ask the agent from the PENDING event on, before ECS says that the task runs (contract.md 2)."""
    probe_interval: float = 1
    probe_first_interval: float = 0.05
    """Between the first two tries; each pause after it is twice as long, up to `probe_interval`.

    An agent that is about to listen refuses, and a refusal costs nothing: a second is a long time to wait for it.
    """
    probe_request_timeout: float = 2
    early_probe_interval: float = 2
    """Between two tries at an address whose task does not run yet (contract.md 2: early probe)."""
    keep_unreachable: bool = False
    """Leave the task of an unreachable agent running, for debugging."""
    reads_output: bool = False
    """The stack keeps the containers' output, and some function may read it (`TaskLogGroup`)."""
    retention: float = 7 * 24 * 3600
    """How long an ended item stays before DynamoDB's TTL removes it."""
    watch_shards: int = 4
    start_lifetime: float = 60
    """For how long a start may be at work: the time-out of StartContainerFunction (template.yaml)."""
    launch_look: float = 60
    """How often a record that waits for its task to run is looked at, when no event comes."""
    probe_look: float = 30
    """How often a record that waits for its agent is looked at; a lost probe is sent again then."""
    probe_look_most: float = 5 * 60
    """The same when no prober has had a result for long: each message lives for half an hour (template.yaml)."""
    healthy_look: float = 15 * 60
    """How often a healthy record is compared with ECS, each at a different instant in the interval."""
    stopping_look: float = 150
    """How long a task may be on its way out before ECS is asked (Spot: two minutes; stopTimeout: at most two)."""
    leak_grace: float = 5 * 60
    """How old a task that no record wants has to be, and for how long none wants it, before it counts as leaked."""
    keep_leaked: bool = False
    """Count leaked tasks, and leave them running."""
    reconcile_rate: float = 5
    """ECS calls a second of one run, reads and changes apart: a quarter of what ECS gives an account (reads: 20)."""
    reconcile_calls: int = 240
    """ECS calls of one run, reads and changes apart: done before the next minute's run begins."""
