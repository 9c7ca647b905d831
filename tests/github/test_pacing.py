"""How long a request waits so that there are not too many in a minute."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.inside.github import Pace, protocol

# Sums of these are exact, and so no wait ends a hair's breadth too early.
TICKS_A_SECOND = 64
START = 1000.0
ALIKE = 0.5  # the duration of answers that all take as long; half of it counts


def times(longest: float) -> st.SearchStrategy[float]:
    return st.integers(0, int(longest * TICKS_A_SECOND)).map(lambda n: n / TICKS_A_SECOND)


# What happens before each request, and how long its answer takes.
STEPS = st.lists(st.tuples(times(3), times(4)), min_size=1, max_size=60)


@dataclass(frozen=True)
class Sent:
    at: float
    until: float
    before: float  # the answer time of the minute before it was sent


class World:
    """Requests in a time of its own, each sent as soon as the pace and its turn allow it."""

    def __init__(self, pace: Pace, at_once: int) -> None:
        self.pace, self.at_once = pace, at_once
        self.now = START
        self.sent: list[Sent] = []
        self.waits: list[tuple[float, int, int, float]] = []  # time, answers, in flight, wait
        self._in_flight: list[tuple[float, float]] = []
        self._answers: list[tuple[float, float]] = []

    def play(self, steps: list[tuple[float, float]]) -> None:
        for idle, duration in steps:
            self._advance(self.now + idle)
            self._send(duration)
        self._advance(float("inf"))

    def recent(self) -> list[float]:
        """Return the answer times of the minute until now."""
        return [spent for at, spent in self._answers if at > self.now - self.pace.window]

    def _send(self, duration: float) -> None:
        while len(self._in_flight) >= self.at_once or (wait := self.pace.wait(self.now)):
            ends = [end for end, _ in self._in_flight]
            if len(ends) < self.at_once:
                self.waits.append((self.now, len(self.recent()), len(ends), wait))
                ends.append(self.now + wait)
            self._advance(min(ends))
        self.sent.append(Sent(self.now, self.now + duration, sum(self.recent())))
        self.pace.begin()
        heappush(self._in_flight, (self.now + duration, duration))

    def _advance(self, until: float) -> None:
        while self._in_flight and self._in_flight[0][0] <= until:
            self.now, duration = heappop(self._in_flight)
            self.pace.note_answer(self.now, duration)
            self.pace.end()
            self._answers.append((self.now, duration))
        self.now = max(self.now, until)


@examples(60)
@given(STEPS, st.integers(1, 8), st.integers(1, 5))
def test_no_minute_has_more_requests_than_the_pace_allows(
    steps: list[tuple[float, float]], points: int, at_once: int
) -> None:
    world = World(Pace(points=points, seconds=1e9, window=6.0), at_once)
    world.play(steps)
    assert len(world.sent) == len(steps)
    for last in world.sent:  # the server may have counted each at any time until its answer
        minute = [each for each in world.sent if last.at - 6.0 < each.until and each.at <= last.at]
        assert len(minute) <= points


@examples(60)
@given(STEPS, times(9), st.integers(1, 5))
def test_no_minute_has_more_answer_time_than_the_pace_allows(
    steps: list[tuple[float, float]], seconds: float, at_once: int
) -> None:
    alike = World(Pace(points=1000, seconds=seconds + ALIKE, window=6.0), at_once)
    alike.play([(idle, ALIKE) for idle, _ in steps])
    for each in alike.sent:
        minute = [other for other in alike.sent if each.until - 6.0 < other.until <= each.until]
        assert len(minute) * ALIKE <= seconds + ALIKE
    # Where they differ, no request is sent once the time is spent, whatever the next one takes.
    series = World(Pace(points=1000, seconds=seconds, window=6.0), 1)
    series.play(steps)
    assert all(each.before <= seconds for each in series.sent)


@examples(60)
@given(STEPS, st.integers(1, 8), times(4), st.integers(1, 5))
def test_a_request_waits_only_while_there_is_no_room_for_it(
    steps: list[tuple[float, float]], points: int, seconds: float, at_once: int
) -> None:
    world = World(Pace(points=points, seconds=seconds, window=6.0), at_once)
    world.play([(idle, ALIKE) for idle, _ in steps])
    for _, answers, in_flight, wait in world.waits:
        with_it = answers + in_flight + 1
        assert with_it > points or with_it * ALIKE > seconds
        assert 0 < wait <= 6.0


def test_the_wait_ends_when_the_oldest_answer_is_a_minute_old() -> None:
    pace = Pace(points=2, seconds=90.0, window=60.0)
    for now in (START, START + 10):
        assert pace.wait(now) == 0
        pace.note_answer(now, 0.1)
    assert pace.wait(START + 20) == 40
    assert pace.wait(START + 60) == 0


def test_requests_in_flight_count_as_long_as_they_take() -> None:
    pace = Pace(points=2, seconds=90.0, window=60.0)
    pace.begin()
    pace.begin()
    assert pace.wait(START + 1000) > 0
    pace.note_answer(START + 1000, 20.0)
    pace.end()
    assert pace.wait(START + 1059) > 0


def test_requests_in_flight_count_with_the_mean_of_the_last_answers() -> None:
    pace = Pace(points=900, seconds=8.0, window=60.0)
    pace.note_answer(START, 1.0)
    pace.note_answer(START, 2.0)
    for _ in range(2):
        pace.begin()
    assert pace.wait(START + 1) == 0  # 3 s, and three times 1.5 s
    pace.begin()
    assert pace.wait(START + 1) == 59


def test_an_answer_that_takes_all_the_time_is_requested_alone() -> None:
    pace = Pace(points=900, seconds=1.0, window=60.0)
    pace.note_answer(START, 30.0)
    assert pace.wait(START) == 60
    assert pace.wait(START + 60) == 0


def test_a_request_without_an_answer_counts_too() -> None:
    pace = Pace(points=1, seconds=90.0, window=60.0)
    pace.note_failure(START)
    assert pace.wait(START) == 60


@examples(60)
@given(
    st.lists(st.tuples(times(5), st.booleans()), max_size=20),
    st.integers(1, 12),
    times(3),
    st.integers(0, 3),
)
def test_joining_two_paces_loses_no_request(
    answers: list[tuple[float, bool]], points: int, seconds: float, in_flight: int
) -> None:
    whole, one, other = (Pace(points=points, seconds=seconds, window=6.0) for _ in range(3))
    now = START
    for pace in (whole, whole, one, other):  # each knows how long an answer takes
        pace.note_answer(now, ALIKE)
    for idle, mine in answers:
        now += idle
        for pace in (whole, one if mine else other):
            pace.note_answer(now, ALIKE)
    for _ in range(in_flight):
        other.begin()
        whole.note_failure(now)
    one.merge(other.settled(now))
    for later in range(8):
        assert one.wait(now + later) == whole.wait(now + later)


def test_githubs_pace_leaves_some_of_its_900_points_to_other_programs() -> None:
    pace = protocol.pace()
    for _ in range(855):
        assert pace.wait(START) == 0
        pace.note_answer(START, 0.1)
    assert pace.wait(START) == 60
    slow = protocol.pace()
    for _ in range(45):
        assert slow.wait(START) == 0
        slow.note_answer(START, 2.0)
    assert slow.wait(START) == 60
    for each in (pace, slow):
        assert each.wait(START + 60) == 0
