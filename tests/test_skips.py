"""CI fails when a test was skipped that nobody allowed."""

import pytest

from tests.skips import allowed_skips

pytest_plugins = ["pytester"]

CONFTEST = """
from tests.skips import SkipWatch

def pytest_configure(config):
    config.pluginmanager.register(SkipWatch())
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Return a function that runs some tests in CI or on a laptop."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)

    def run_tests(*, ci: str, **files: str):
        monkeypatch.setenv("CI", ci)
        pytester.makepyfile(**{name: f"import pytest\n{text}" for name, text in files.items()})
        return pytester.inline_run().ret

    return run_tests


def test_a_skip_that_nobody_allowed_fails_in_ci_and_is_named(run, capsys):
    skips = "def test_server(): pytest.skip('no server')"

    assert run(ci="", test_one=skips) == pytest.ExitCode.OK
    assert run(ci="true", test_one=skips) == pytest.ExitCode.TESTS_FAILED
    assert "test_one.py::test_server" in capsys.readouterr().out


def test_a_whole_file_that_is_skipped_fails_in_ci(run):
    skips = "pytest.importorskip('there_is_no_such_module')"

    assert run(ci="true", test_one=skips, test_two="def test_it(): pass") == pytest.ExitCode.TESTS_FAILED


def test_an_expected_failure_is_no_skip(run):
    assert run(ci="true", test_one="def test_it(): pytest.xfail('known')") == pytest.ExitCode.OK


def test_two_skips_can_be_allowed_and_no_more():
    text = "# why\na.py::test_one  # a reason\n\nb.py::test_two\n"

    assert allowed_skips(text) == {"a.py::test_one", "b.py::test_two"}
    with pytest.raises(pytest.UsageError, match="3 tests"):
        allowed_skips("one\ntwo\nthree")
