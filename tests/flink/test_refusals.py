"""What Flink says of a savepoint that it cannot go on from, in the words of this library."""

import pytest

from flink_masking.flink.launch import refusal

TRACE = "An error occurred while calling o1.executeAsync.\n: org.apache.flink.util.FlinkException: Failed\n\tat a.b.C\nCaused by: "


@pytest.mark.parametrize(("cause", "words"), [
    ("java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint file:/s. Cannot map checkpoint/savepoint state for "
     "operator a35 to the new program", "--allowNonRestoredState"),
    ("java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint file:/s. Max parallelism mismatch between "
     "checkpoint/savepoint state and new program.", "pipeline.max-parallelism"),
    ("java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory 'file:/s' on file system 'file'.", "_metadata"),
])
def test_a_refusal_is_one_line_with_a_hint(cause, words):
    """Whatever the trace around it, the reason becomes one line that says what to do."""
    said = refusal(f"{TRACE}{cause}\n\tat d.e.F")
    assert said is not None and words in said and "Hint: " in said and "\n" not in said


def test_other_failures_are_left_to_others():
    """A failure that has nothing to do with a savepoint is not taken for one."""
    assert refusal(f"{TRACE}java.net.ConnectException: Connection refused") is None
