"""The numbers that decide when something is late (contract.md 7). `core.launch.settings` reads them."""

from dataclasses import dataclass

from core.model.networks import PRIVATE, Network, networks


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All durations in seconds."""

    agent_port: int = 9111
    agent_networks: tuple[Network, ...] = networks(PRIVATE)
    task_subnets: tuple[str, ...] = ()  # in the order of the request: it decides between several network interfaces
    launch_attempts: int = 2  # tasks of one generation at most, if they fail transiently before the container ran
    health_timeout: float = 60
    start_timeout: float = 300
    early_probe: bool = False  # from the PENDING event on, before ECS says that the task runs (contract.md 2)
    probe_interval: float = 1
    # Between the first tries; then a tenth of the time waited so far, up to `probe_interval`. An agent that is about to
    # open its port refuses, and a refusal costs next to nothing.
    probe_first_interval: float = 0.05
    probe_request_timeout: float = 2
    early_probe_interval: float = 0.1  # between two tries at an address whose task does not run yet
    early_probe_patience: float = 20  # how long such an address is asked; then the event of RUNNING brings the probe
    keep_unreachable: bool = False  # the task of an unreachable agent runs on, for debugging
    reads_output: bool = False  # the stack keeps the containers' output, and some function may read it (`TaskLogGroup`)
    retention: float = 7 * 24 * 3600  # of an ended item, before DynamoDB's TTL removes it
    watch_shards: int = 4
    start_lifetime: float = 60  # of one start at most: the time-out of StartContainerFunction (template.yaml)
    # How often a record is checked if no event comes: while its task does not run yet; while its agent has not answered
    # (a lost probe is sent again then); the same when no prober has had a result for long, because each message lives
    # for half an hour (template.yaml); when it is healthy, each at a different instant of the interval.
    launch_check: float = 60
    probe_check: float = 30
    probe_check_most: float = 5 * 60
    healthy_check: float = 15 * 60
    # The same where only the agent shows the end of the container's process (`AgentFlavor`).
    exit_check: float = 60
    stopping_check: float = 150  # a task may take so long to stop (Spot: two minutes; stopTimeout: at most two)
    leak_grace: float = 5 * 60  # a task counts as leaked when it is as old, and no record has wanted it for as long
    keep_leaked: bool = False  # leaked tasks are counted, and run on
    # ECS calls of one run of ReconcileFunction, reads and changes apart: a second, a quarter of what ECS gives an
    # account (reads: 20), and in all, done before the next minute's run begins.
    reconcile_rate: float = 5
    reconcile_calls: int = 240
