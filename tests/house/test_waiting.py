"""Waits of the tests: they last as long as something moves, and end when nothing does."""

import itertools
import subprocess
import sys
import time

import pytest
import waiting


@pytest.fixture
def alone(monkeypatch):
    """A machine without other load, so that a second of patience is a second."""
    monkeypatch.setattr(waiting, "load", lambda: 1.0)


def test_a_wait_lasts_as_long_as_its_figure_moves(alone):
    """A condition that takes several times the patience is waited for while the figure changes."""
    figures = itertools.count()
    begin = time.monotonic()
    waiting.until("it is late", lambda: time.monotonic() - begin > 4, figure=lambda: next(figures), patience=1.5)


def test_a_wait_ends_when_nothing_moves(alone):
    """Without movement the wait fails and names what was waited for and the last figure."""
    with pytest.raises(AssertionError, match=r"nothing moves any more while waiting: the record \(last figure: 7\)"):
        waiting.until("the record", lambda: False, figure=lambda: 7, patience=0.5)


def test_what_moves_for_ever_fails_in_the_end(alone, monkeypatch):
    """A figure that changes without the condition coming true, as in a crash loop, ends at the limit."""
    monkeypatch.setattr(waiting, "LIMIT", 2.0)
    figures = itertools.count()
    with pytest.raises(AssertionError, match="no end is in sight while waiting: the job"):
        waiting.until("the job", lambda: False, figure=lambda: next(figures))


def test_patience_is_stretched_by_load(monkeypatch):
    """With twenty times the load, two seconds are a tenth of a second of patience."""
    monkeypatch.setattr(waiting, "load", lambda: 20.0)
    begin = time.monotonic()
    waiting.until("two seconds", lambda: time.monotonic() - begin > 2, patience=0.5)


def test_processor_time_is_movement(alone, monkeypatch):
    """A process that computes is waited for; one that sleeps is killed, and its output before that is not waited for."""
    monkeypatch.setattr(waiting, "_WORK", 0.05)
    busy = "import time\nend = time.process_time() + 2\nwhile time.process_time() < end: pass\nprint('done')"
    monkeypatch.setattr(waiting, "PATIENCE", 60.0)
    assert waiting.run([sys.executable, "-c", busy]).out == "done\n"
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True, stdout=subprocess.PIPE)
    watch = waiting.Watch("it ends", lambda: [process.pid], patience=0.5)
    with pytest.raises(AssertionError, match="nothing moves any more"):
        for _ in range(1_000):
            watch.check()
            time.sleep(0.1)
    waiting.end_group(process)
    assert process.returncode == -9
