"""The laws of techniques, for the tests of whoever writes one: every promise is held against every example of its parameters.

    import pytest
    from flink_masking.testing import laws
    from my_package import TECHNIQUE

    @pytest.mark.parametrize("law", laws(TECHNIQUE), ids=str)
    def test_law(law):
        law()

A law is a plain callable that raises `BrokenPromise`; nothing here needs pytest.
"""

from flink_masking.testing.laws import Law, check, laws
from flink_masking.testing.rule import BrokenPromise

__all__ = ["BrokenPromise", "Law", "check", "laws"]
