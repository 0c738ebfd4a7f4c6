"""What a client learns from the starts that it has waited for."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt
from threading import Thread

import pytest

from core.client.experience import IMAGES, KEPT, LEAST_SPREAD, Experience, expected
from core.client.pace import ANSWER, START, Expected
from core.model.failure import ErrorCode, Failure
from core.model.parts import Instant, Launch
from core.model.record import Record
from tests.factories import at
from tests.records import healthy, resolved


def started(start: float, answer: float, image: str = "a") -> Record:
    """A container whose address was known after `start` seconds, and whose agent answered so many later."""
    return healthy(image=image, timings={Instant.RESOLVED: at(start), Instant.HEALTHY: at(start + answer)})


def test_nothing_is_known_of_an_image_at_first() -> None:
    """What is usual on Fargate is expected."""
    assert Experience().expected("a") == (START, ANSWER)


def test_each_image_has_its_own() -> None:
    """The median of what was seen of it."""
    experience = Experience()
    for record in (started(20, 0.05), started(24, 0.07), started(30, 0.1), started(3, 1, "b")):
        experience.learn(record)
    start, answer = experience.expected("a")
    assert (start.median, answer.median) == pytest.approx((24, 0.07))
    assert (start.samples, answer.samples) == (3, 3)
    assert experience.expected("b")[0].median == pytest.approx(3)
    assert experience.expected("c") == (START, ANSWER)


def test_a_launch_that_was_tried_again_counts_from_its_last_try() -> None:
    """The other one took its time for nothing."""
    failure = Failure(ErrorCode.TASK_FAILED_TO_START, "no", "wait", None, transient=True)
    experience = Experience()
    experience.learn(replace(started(50, 0.1), launches=(Launch(at(20), failure),)))
    assert experience.expected("a")[0].median == pytest.approx(30)


def test_a_record_without_the_instants_teaches_nothing() -> None:
    """As another version may have written it."""
    experience = Experience()
    experience.learn(resolved(image="a"))
    experience.learn(healthy(image="a", timings={Instant.HEALTHY: at(3)}))
    assert experience.expected("a") == (START, ANSWER)


def test_what_is_kept_is_bounded() -> None:
    """The newest starts of an image, and the images that were started last."""
    experience = Experience()
    for seconds in (100.0, *[20.0] * KEPT):
        experience.learn(started(seconds, 0.1))
    start = experience.expected("a")[0]
    assert (start.median, start.spread, start.samples) == pytest.approx((20, 0.4 / sqrt(KEPT + 1), KEPT))
    for number in range(IMAGES - 1):
        experience.learn(started(5, 0.1, f"image-{number}"))
    assert experience.expected("a")[0].samples == KEPT
    experience.learn(started(5, 0.1, "one more"))
    assert experience.expected("a") == (START, ANSWER)


def test_the_spread_is_learnt_slowly() -> None:
    """One start leaves most of what was guessed; many that are alike leave next to nothing of it."""
    guess = Expected(35, 0.4)
    assert expected([], guess) == guess
    once = expected([20], guess)
    assert (once.median, once.spread, once.samples) == pytest.approx((20, 0.4 / sqrt(2), 1))
    assert expected([20] * 1000, guess).spread == LEAST_SPREAD
    apart = expected([20, 20 * exp(0.2)], guess)
    assert (log(apart.median / 20), apart.spread) == pytest.approx((0.1, sqrt((0.16 + 2 * 0.01) / 3)))


def test_a_start_that_took_for_ever_does_not_spoil_the_rest() -> None:
    """The median stays, and the spread does not follow it for ever. An instant of the same millisecond is no fault."""
    usual = [20.0] * 9
    assert expected([*usual, 1e6], START) == expected([*usual, 200], START)
    assert expected([0.0], ANSWER).median == pytest.approx(0.001)


def test_threads_share_it() -> None:
    """Waits run at once."""
    experience = Experience()

    def wait() -> None:
        for _ in range(KEPT):
            experience.learn(started(20, 0.1))

    threads = [Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert experience.expected("a")[0].samples == KEPT
