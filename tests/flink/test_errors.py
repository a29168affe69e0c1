"""What Flink may see of an exception that nobody planned for; no Java is needed here."""

import traceback

import pytest

from flink_masking.errors import InputError, JobError
from flink_masking.flink.errors import without_values
from flink_masking.flink.local import cause


def test_an_unforeseen_error_loses_its_text():
    """Type and place are told, the text and the original exception are not, not even in the printed traceback."""
    with pytest.raises(JobError) as caught, without_values("protect"):
        raise ValueError("123-45-6789")
    assert str(caught.value).startswith("protect: internal error: ValueError at test_errors.py:")
    assert "123-45-6789" not in "".join(line for line in traceback.format_exception(caught.value) if "raise ValueError" not in line)


def test_an_error_of_the_library_passes():
    """Errors raised on purpose keep their type and words."""
    with pytest.raises(InputError, match="state is damaged"), without_values("partners"):
        raise InputError("state is damaged")


CALL = "An error occurred while calling o1.get.\n: "
WORKER = CALL + "java.util.concurrent.ExecutionException: job\nCaused by: java.lang.RuntimeException: Traceback:\n  File x\n"
END = "\n\tat org.x"


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (WORKER + "flink_masking.errors.KeyRingError: env://K: not set. Hint: set it" + END, "KeyRingError: env://K: not set."),
        (WORKER + "ModuleNotFoundError: No module named 'flink_masking'" + END, "No module named 'flink_masking'"),
        (WORKER + "ValueError: 123-45-6789" + END, "a Python worker raised ValueError"),
        ("failed\nCaused by: org.a.B: b\nCaused by: java.util.zip.ZipException: Not in GZIP format" + END, "Not in GZIP format"),
        (CALL + "org.a.ValidationException: no factory for 'kafka'" + END, "no factory for 'kafka'"),
        ("", "Exception"),
    ],
)
def test_the_cause_of_a_failed_job_is_one_line(story, words):
    """Of a long chain the line that helps is told; the text of a foreign Python exception, which may quote a record, is not."""
    told = cause(Exception(story))
    assert words in told
    assert "\n" not in told and "123-45-6789" not in told and "at org" not in told
