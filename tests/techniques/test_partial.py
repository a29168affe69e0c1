"""partial, against a definition that is slow and plain."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.techniques.partial import TECHNIQUE


def counts(character):
    """Whether a character counts as a letter or digit."""
    return not character.isascii() or character.isalnum()


def hide(text, mask, separators):
    """Every character masked, or every one that counts."""
    return "".join(c if separators and not counts(c) else mask for c in text)


def plain_partial(text, keep_first=0, keep_last=0, keep_after=None, keep_separators=False, mask="*", same_length=False):
    """The definition of partial, one character at a time."""
    if not text:
        return text
    same = same_length or keep_separators
    head, anchor, rest = text.partition(keep_after) if keep_after else (text, "", "")
    places = [i for i, c in enumerate(head) if counts(c) or not keep_separators]
    if (keep_after and text.count(keep_after) != 1) or keep_first + keep_last >= len(places):
        return hide(text, mask, keep_separators and any(map(counts, text))) if same else 3 * mask
    start = places[keep_first - 1] + 1 if keep_first else 0
    stop = places[-keep_last] if keep_last else len(head)
    return head[:start] + (hide(head[start:stop], mask, keep_separators) if same else 3 * mask) + head[stop:] + anchor + rest


@pytest.mark.parametrize(
    ("params", "value", "expected"),
    [
        ({"keep_first": 1, "keep_after": "@"}, "john.doe@example.com", "j***@example.com"),
        ({"keep_first": 1, "keep_after": "@"}, "josé.pérez@example.com", "j***@example.com"),
        ({"keep_first": 1, "keep_after": "@"}, "\U0001f600smile@example.com", "\U0001f600***@example.com"),
        ({"keep_first": 1, "keep_after": "@"}, "no-anchor-here", "***"),
        ({"keep_first": 1, "keep_after": "@"}, "a@example.com", "***"),
        ({"keep_first": 1, "keep_after": "@"}, "ab@c@d", "***"),
        ({"keep_last": 2, "keep_after": "@"}, "john@example.com", "***hn@example.com"),
        ({"keep_first": 1, "keep_after": "@@"}, "a@b@@c", "a***@@c"),
        ({"keep_last": 4, "keep_separators": True}, "123-45-6789", "***-**-6789"),
        ({"keep_last": 4, "keep_separators": True, "mask": "x"}, "4111-1111-1111-1234", "xxxx-xxxx-xxxx-1234"),
        ({"keep_last": 4, "keep_separators": True, "mask": "x"}, "4111111111111234", "xxxxxxxxxxxx1234"),
        ({"keep_last": 4, "keep_separators": True}, "12", "**"),
        ({"keep_last": 4, "keep_separators": True}, "1-2-3", "*-*-*"),
        ({"keep_separators": True}, "--- !", "*****"),
        ({"keep_first": 2}, "ab", "***"),
        ({"keep_first": 2}, "abc", "ab***"),
        ({"keep_first": 2, "keep_last": 1, "same_length": True}, "żółć", "żó*ć"),
        ({"keep_first": 4, "same_length": True, "mask": "●"}, "żółć", "●●●●"),
        ({}, "x", "***"),
    ],
)
def test_examples(run, params, value, expected):
    """The forms that the documentation shows come out as shown."""
    assert [expected] == run(TECHNIQUE, params, [value])


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.none() | st.text("aZ0-. @→é\U0001f600\x00", max_size=12) | st.text(max_size=100), min_size=1, max_size=6),
    st.fixed_dictionaries(
        {},
        optional={
            "keep_first": st.integers(0, 5),
            "keep_last": st.integers(0, 5),
            "keep_after": st.sampled_from(["@", "→", "-.", "é@", "00"]),
            "keep_separators": st.booleans(),
            "mask": st.sampled_from(["*", "x", "é", "●", "\U0001f600"]),
        },
    ),
    st.booleans(),
)
def test_as_defined(run, texts, params, same):
    """Any text under any parameters comes out as the plain definition says."""
    params = {**params, **({"same_length": True} if same else {})}
    texts.append("-" * 32)  # behind which nothing can be read; the others may be looked at 32 bytes at a time
    assert [None if text is None else plain_partial(text, **params) for text in texts] == run(TECHNIQUE, params, texts)


def test_values_side_by_side(run):
    """Long and short values of one batch do not touch each other, wherever the vector reads of the kernel end."""
    texts = ["a" * n + "@" + "b" * (70 - n) for n in range(70)] * 2
    assert [plain_partial(text, 1, 0, "@") for text in texts] == run(TECHNIQUE, {"keep_first": 1, "keep_after": "@"}, texts)


@pytest.mark.parametrize(
    "params",
    [
        {"keep_first": -1},
        {"keep_last": 1.5},
        {"keep_first": True},
        {"keep_after": ""},
        {"mask": ""},
        {"mask": "**"},
        {"keep_frist": 1},
        {"keep_separators": True, "same_length": False},
    ],
)
def test_bad_parameters(params):
    """Counts are whole numbers from 0, the mask is one character, the anchor is not empty, and contradictions are refused."""
    with pytest.raises(ValidationError):
        TECHNIQUE.params.model_validate(params)
