"""The numbers, as a monitoring system reads them."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.beside import beside, probe_loop
from bot.metrics import OTHER, PrometheusMetrics


def read(metrics: PrometheusMetrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by name and label values in the order of the labels' names, read back with the real parser."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.generate())
        for sample in family.samples
    }


def test_everything_that_is_told_can_be_read_as_text() -> None:
    metrics = PrometheusMetrics()
    metrics.execution_ended("raid", "completed", 12.5)
    metrics.execution_ended("raid", "failed", 1.5)
    metrics.iterated("raid", 3)
    metrics.step_failed("obs", "set_scene", "not_found")
    metrics.event_received("raid.received")
    metrics.start_refused("cooldown")
    metrics.committed(7, 0.003)
    metrics.commit_failed()
    metrics.outbox(4)
    metrics.outbox(2)
    metrics.timer_late(0.02)
    metrics.loop_late(0.2)

    samples = read(metrics)

    assert samples["showcaller_execution_seconds_sum", ("completed", "raid")] == 12.5
    assert samples["showcaller_execution_seconds_count", ("failed", "raid")] == 1
    assert samples["showcaller_executions_ended_total", ("completed",)] == 1
    assert samples["showcaller_loop_iterations_total", ("raid",)] == 3
    assert samples["showcaller_step_errors_total", ("obs.set_scene", "not_found")] == 1
    assert samples["showcaller_events_received_total", ("raid.received",)] == 1
    assert samples["showcaller_starts_refused_total", ("cooldown",)] == 1
    assert samples["showcaller_commit_rows_sum", ()] == 7
    assert samples["showcaller_commit_seconds_sum", ()] == 0.003
    assert samples["showcaller_commits_failed_total", ()] == 1
    assert samples["showcaller_outbox_depth", ()] == 2
    assert samples["showcaller_timer_lag_seconds_sum", ()] == 0.02
    assert samples["showcaller_loop_lag_seconds_sum", ()] == 0.2


def test_two_bots_in_one_process_do_not_count_into_each_other() -> None:
    one, other = PrometheusMetrics(), PrometheusMetrics()
    one.start_refused("cooldown")
    assert ("showcaller_starts_refused_total", ("cooldown",)) not in read(other)


def test_a_thousand_workflows_are_two_hundred_names_and_one_for_the_rest() -> None:
    metrics = PrometheusMetrics()
    for number in range(1_000):
        metrics.execution_ended(f"w{number}", "completed", 1.0)
        metrics.iterated(f"w{number}", 1)
        metrics.step_failed("s", f"m{number}", f"c{number}")
        metrics.event_received(f"e{number}")
        metrics.start_refused(f"k{number}")
    samples = read(metrics)
    counts = {
        labels[1]: value for (name, labels), value in samples.items() if name == "showcaller_execution_seconds_count"
    }
    assert len(counts) == 201
    assert counts[OTHER] == 800
    assert counts["w0"] == 1
    assert sum(value for (name, _), value in samples.items() if name == "showcaller_events_received_total") == 1_000
    assert len(samples) < 6_000


def test_a_name_is_bounded_and_can_be_sent_whatever_it_is() -> None:
    metrics = PrometheusMetrics()
    for name in ('a"b\\c\nd', "\ud800", "x" * 10_000, "👩‍🚀"):
        metrics.iterated(name, 1)
    names = {labels[0] for name, labels in read(metrics) if name == "showcaller_loop_iterations_total"}
    assert {'a"b\\c\nd', "?", "x" * 80, "👩‍🚀"} == names


async def test_the_probe_tells_how_much_too_late_the_loop_came_back() -> None:
    ticks, told = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        ticks[0] += seconds + 0.125
        if len(told) == 2:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await probe_loop(told.append, every=0.25, ticks=lambda: ticks[0], sleep=sleep)
    assert told == [0.125, 0.125]


async def test_what_goes_on_beside_ends_with_what_it_is_beside_of() -> None:
    told: list[float] = []
    came = asyncio.Event()

    def late(seconds: float) -> None:
        told.append(seconds)
        came.set()

    async with beside(probe_loop(late, every=0.001), "probe"):
        await came.wait()
    after = len(told)
    await asyncio.sleep(0.01)
    assert len(told) == after
    assert min(told) >= -0.001


async def test_what_breaks_beside_is_logged_and_takes_nothing_down(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("no")

    async with beside(broken(), "the broken one"):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert "the broken one broke" in caplog.text
