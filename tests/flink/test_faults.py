"""What Flink may see of an exception that nobody planned for; no Java is needed here."""

import traceback

import pytest

from flink_masking.errors import InputError, JobError
from flink_masking.operators.faults import without_values


def test_an_unforeseen_error_loses_its_text():
    """Type and place are told, the text and the original exception are not, not even in the printed traceback."""
    with pytest.raises(JobError) as caught, without_values("protect"):
        raise ValueError("123-45-6789")
    assert str(caught.value).startswith("protect: unexpected ValueError at test_faults.py:")
    assert "123-45-6789" not in "".join(line for line in traceback.format_exception(caught.value) if "raise ValueError" not in line)


def test_an_error_of_the_library_passes():
    """Errors raised on purpose keep their type and words."""
    with pytest.raises(InputError, match="state is damaged"), without_values("partners"):
        raise InputError("state is damaged")
