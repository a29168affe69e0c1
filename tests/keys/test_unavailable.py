"""Failures of key services that may pass are told apart from those that do not."""

import pytest

from flink_masking.errors import KeyRingError, KeyRingUnavailableError
from flink_masking.keys.providers.attempt import Failure, attempt, by_status


@pytest.mark.parametrize(("status", "passing"), [(408, True), (429, True), (503, True), (400, False), (403, False), (404, False)])
def test_an_answer_says_whether_to_try_again(status, passing):
    """Time-outs, throttling and broken servers may pass; refusals and missing things do not."""

    def call():
        raise OSError("holds a token")

    with pytest.raises(KeyRingError, match=r"^vault: .*\(OSError\)\. Hint: ") as raised:
        attempt("vault", call, lambda _: by_status(status))
    assert isinstance(raised.value, KeyRingUnavailableError) is passing
    assert "token" not in str(raised.value)


def test_a_failure_that_nobody_knows_is_not_said_to_pass():
    """A broken call is an error to look at."""
    with pytest.raises(KeyRingError) as raised:
        attempt("kms", lambda: 1 // 0, lambda _: Failure.BROKEN)
    assert type(raised.value) is KeyRingError
