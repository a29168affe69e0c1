"""What `health` tells of control documents."""

import pytest

from flink_masking.flink_rest.control_checks import control_check


class Figures:
    """Answers of Flink's endpoint: the largest value of each metric by operator."""

    def __init__(self, **figures):
        """Metrics by the ends of their names."""
        self.figures = figures

    def maxima(self, _, name):
        """The values of a metric."""
        return self.figures.get(name.rpartition(".")[2], [])


@pytest.mark.parametrize(("seconds", "refused", "well", "said"), [
    ([0.0], [0.0], True, "readable, none refused"), ([10.0], [0.0], True, "could not be read for 10 s"),
    ([400.0], [0.0], False, "at most 300 s"), ([0.0, 0.0], [0.0, 2.0], False, "2 refused")])
def test_control_documents_are_judged(seconds, refused, well, said):
    """A source that cannot be read for too long, or a document that is refused, is not well."""
    (check,) = control_check(Figures(control_unreadable_seconds=seconds, control_documents_refused=refused), "0" * 32)
    assert (check.name, check.well) == ("control", well) and said in check.text


def test_a_job_without_control_documents_has_no_such_check():
    """Nothing is told of a job without these metrics."""
    assert control_check(Figures(), "0" * 32) == []
