"""A watch over skipped tests: where CI says so, a skip that nobody allowed fails the run."""

import os
from pathlib import Path

import pytest

ALLOWED = Path(__file__).with_name("allowed_skips.txt")
MOST = 2


def allowed_skips(text: str) -> frozenset[str]:
    """Return the tests that may be skipped: one a line, and why after a #. More than two are refused."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    tests = frozenset(line for line in lines if line)
    if len(tests) > MOST:
        raise pytest.UsageError(f"{ALLOWED.name} lists {len(tests)} tests; at most {MOST} may be skipped.")
    return tests


class SkipWatch:
    """Notes every skipped test or file, and tells at the end which were not allowed."""

    def __init__(self) -> None:
        self.allowed = allowed_skips(ALLOWED.read_text())
        self.refused: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refused and os.environ.get("CI") == "true" and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.refused and os.environ.get("CI") == "true":
            terminalreporter.section("skipped and not in tests/allowed_skips.txt", red=True)
            for test in self.refused:
                terminalreporter.line(test)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        # An expected failure is reported as skipped too, and is none.
        if report.skipped and not hasattr(report, "wasxfail") and report.nodeid not in self.allowed:
            self.refused.append(report.nodeid)
