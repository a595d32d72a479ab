"""What all tests share: the embedded servers (`services.py`), and the rule that no test may be skipped.

A test that cannot run says nothing, and reads as if it had passed; so a skipped one fails the run.
"""

from __future__ import annotations

import signal

import pytest

pytest_plugins = ["tests.services"]

# Whoever starts the tests in the background of a shell has interruptions ignored, by every process below too;
# some tests send one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.ensure_newline()
        reporter.write_line("a skipped test counts as a failed one", red=True)
