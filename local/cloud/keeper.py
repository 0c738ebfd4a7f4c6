"""`python -m local.cloud.keeper`: runs a local cloud until SIGTERM, and starts again what crashes. `make up` starts it.

The local Fargate alone is started again when it ends: its state directory stays, and what its tasks were is for the
stack's reconciler to find out. The local AWS keeps all of its state in memory, so with it the local Fargate is stopped
too (no task may be left without an item), and everything is started and deployed again. Ports stay the same.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import fargate, ministack
from local.cloud.cloud import LocalCloud
from local.cloud.interruption import unwind_on_signals
from local.cloud.layout import Layout
from local.cloud.processes import CloudError, Daemon, first_to_end
from local.cloud.report import Report
from local.cloud.stopping import end_processes
from local.fargate.runtime import RuntimeName

log: Final = logging.getLogger("keeper")

OUTAGES: Final = (CloudError, OSError, BotoCoreError, ClientError)
"""What a start may raise that is no bug of ours, and may be over when it is tried again."""

STEADY_SECONDS: Final = 60
"""Who has lived for that long has not crashed "again soon"."""
LONGEST_PAUSE: Final = 30.0


class Pauses:
    """How long to wait before a process is started again: not at all, but from 1 s to 30 s when it crashes soon."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, lived: float) -> float:
        """Seconds to wait after a life of `lived` s."""
        if lived >= STEADY_SECONDS:
            self._next = 0.0
        pause = self._next
        self._next = min(max(1.0, 2 * pause), LONGEST_PAUSE)
        return pause


class Keeper:
    """Watches the two processes of a cloud that runs.

    `wait` is `first_to_end`, `sleep` and `clock` are those of `time`.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        *,
        wait: Callable[[Sequence[Daemon], float | None], Daemon | None] = first_to_end,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cloud = cloud
        self._wait = wait
        self._sleep = sleep
        self._clock = clock
        self._pauses = {ministack.NAME: Pauses(), fargate.NAME: Pauses()}
        self._since = dict.fromkeys(self._pauses, clock())
        self._restarts: Counter[str] = Counter()

    def keep(self) -> NoReturn:
        """Until a signal unwinds it."""
        while True:
            self.mend()

    def mend(self) -> None:
        """Waits until one of the two has ended, and starts again what must be. Returns when that is done."""
        aws, ecs = (self._cloud.daemons[name] for name in (ministack.NAME, fargate.NAME))
        if self._wait((aws, ecs), None) is aws:
            self._all_again(aws)
            return
        pause = self._buried(ecs)
        if self._wait((aws,), pause) is not None:
            return
        self._since[ecs.name] = self._clock()
        if self._survived(self._cloud.start_fargate_again):  # else the next look finds it ended, and waits longer
            self._started(ecs.name)

    def _all_again(self, aws: Daemon) -> None:
        """Until it succeeds."""
        pause = self._buried(aws)
        while True:
            ended = self._survived(lambda: end_processes(self._cloud.layout))
            self._sleep(pause)
            self._since.update(dict.fromkeys(self._since, self._clock()))
            if ended and self._survived(self._cloud.start_again):
                self._started(aws.name)
                return
            pause = self._pauses[aws.name].after(self._clock() - self._since[aws.name])

    def _survived(self, act: Callable[[], object]) -> bool:
        """Whether it went well; an outage is told."""
        try:
            act()
        except OUTAGES as error:
            log.error("not usable yet: %s", error)  # noqa: TRY400 - the message says it all
            return False
        return True

    def _buried(self, ended: Daemon) -> float:
        """Tells how a process ended, ends what it has left, and says how long to wait before it is started again."""
        code = ended.stop()
        how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with {code}"
        pause = self._pauses[ended.name].after(self._clock() - self._since[ended.name])
        log.warning("%s (process %d) %s; it is started again after %.0f s", ended.name, ended.pid, how, pause)
        return pause

    def _started(self, name: str) -> None:
        self._restarts[name] += 1
        self._since[name] = self._clock()
        self._cloud.layout.restarts.write_text(json.dumps(self._restarts))
        log.info("%s is started again, as process %d", name, self._cloud.daemons[name].pid)


def restarts(layout: Layout) -> dict[str, int]:
    """How often each process was started again since `make up`; those that were not are missing."""
    try:
        found: dict[str, int] = json.loads(layout.restarts.read_text())
    except FileNotFoundError:
        return {}
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """0 after SIGTERM, 1 when the cloud could not be started."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s keeper %(message)s")
    unwind_on_signals()
    report = Report(options.report)

    def say(line: str) -> None:
        log.info("%s", line)
        report.say(line)

    log.info("starting the cloud of %s", options.directory)
    cloud = LocalCloud(
        Layout(options.directory),
        port=options.port,
        speed=options.speed,
        seed=options.seed,
        runtime=options.runtime,
        images=options.image,
        keeper=True,
        say=say,
    )
    try:
        with cloud:
            report.ready()
            Keeper(cloud).keep()
    except KeyboardInterrupt:
        log.info("stopped")
        return _end(report, "The start was stopped: by `down`, or by a signal.", 0)
    except BrokenPipeError:
        log.error("nobody waits for this cloud any more")  # noqa: TRY400 - as above
        return 1
    except OUTAGES as error:
        log.error("%s", error)  # noqa: TRY400 - as above
        return _end(report, str(error), 1)


def _end(report: Report, why: str, code: int) -> int:
    """Tells the command that started this process why there is no cloud, if it still waits for one."""
    with contextlib.suppress(BrokenPipeError):
        report.failed(why)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.cloud.keeper", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--speed", default="fast")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--runtime", type=RuntimeName, default=RuntimeName.PROCESS)
    parser.add_argument("--image", action="append", default=[], help="one that needs no registry (repeatable)")
    parser.add_argument("--report", type=int, help="a file descriptor that gets the progress (local.cloud.report)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
