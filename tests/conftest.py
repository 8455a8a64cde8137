"""What holds for every test: with SHOWCALLER_TEST_REQUIRE=all a test that would be skipped fails, so that nothing goes unseen."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

collect_ignore = ["data"]  # the example plugin's own tests run where it is installed

# A change is judged by the same draws each time; new ones are looked for wherever people run the tests.
settings.register_profile("ci", derandomize=True, database=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

REQUIRED = os.environ.get("SHOWCALLER_TEST_REQUIRE") == "all"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where everything is required."""
    report = yield
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, but SHOWCALLER_TEST_REQUIRE=all: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself as a whole."""
    report = yield
    if REQUIRED and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, but SHOWCALLER_TEST_REQUIRE=all: {report.longrepr}"
    return report
