"""The principals file: who runs the job, who reads what, and every fault of it with line and column."""

import pytest

from flink_masking.access.principals import read_principals
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: orders
{TOP}fields: {customer: {class: identifier}}
segments:
  one: {view: masked, rules: {customer: {technique: pseudonym, domain: a}}}
  two: {view: masked, rules: {customer: {technique: pseudonym, domain: b}}}
"""


@pytest.fixture
def read(tmp_path):
    """Read principals from text, for a policy with further lines on top."""

    def read(text, top=""):
        path = tmp_path / "principals.yaml"
        path.write_text(text)
        return read_principals(path, load(PolicySource("p", POLICY.replace("{TOP}", top))).policy)

    return read


def test_a_reader_may_be_written_in_three_ways(read):
    """One principal, a list, or principals with the prefix of their consumer groups."""
    text = "job: User:j\nsegments: {one: User:a, two: {principals: User:b, group: bb-}}\naudit: [User:c, 'User:CN=d, O=x']\n"
    found = read(text).principals
    assert {name: readers.principals for name, _, readers in found.readers()} == {
        "one": ("User:a",), "two": ("User:b",), "audit": ("User:c", "User:CN=d, O=x")}
    prefixes = [readers.group_prefix(principal) for _, _, readers in found.readers() for principal in readers.principals]
    assert prefixes == ["a-", "bb-", "c-", "d-"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("§segments: {}\n", "'job' is missing", ""),
        ("job: §analytics\n", "'job' is not a principal", "User:analytics"),
        ("job: User:j\nsegments: {one: §'User:*'}\n", "'one' is a wildcard for all users", "name each"),
        ("job: User:j\nsegments: {one: [User:a, §user:anonymous]}\n", "'one' is a wildcard for all users", "name each"),
        ("job: User:j\nsegments: {one: §[]}\n", "'one' must not be empty", ""),
        ("job: User:j\nsegments: {one: §7}\n", "'one' must be a principal or a list of them", "User:analytics"),
        ("job: User:j\nsegments: {one: §{principals: User:a, grup: x}}\n", "'one' has an unknown key 'grup'", "principals, group"),
        ("job: User:j\n§segmnts: {}\n", "unknown key 'segmnts'", "did you mean 'segments'?"),
        ("job: User:j\nsegments: {§onne: User:a}\n", "'onne' is not a segment of the policy", "did you mean 'one'?"),
        ("job: User:j\nsegments: {one: §User:j}\n", "'User:j' runs the job", "of their own"),
        ("job: User:j\nsegments: {one: [User:a, §User:j]}\n", "'User:j' runs the job", "of their own"),
        ("job: User:j\nsegments: {one: User:a, two: {principals: User:b, group: §a-b-}}\n",
         "the consumer groups 'a-b-…' of 'User:b' and 'a-…' of 'User:a' overlap", "none begins another"),
        ("job: User:j\nsegments: {one: {principals: User:a, group: §fm-a}}\n", "'fm-a' does not end in a delimiter", "write fm-a-"),
        ("job: User:j\nsegments: {one: {principals: User:a, group: §'*'}}\n", "is *, which stands for every name", "prefix-"),
        ("job: User:j\nsegments: {one: [§'User:a b']}\n",
         "'User:a b' makes no consumer group: its prefix 'a b-' is no name for Kafka", "group: prefix-"),
        ("job: User:j\nsegments: §one\n", "'segments' must be keys with values, not text", ""),
        ("job: §'User:a\n", "broken YAML", "quotes"),
    ],
)  # fmt: skip
def test_a_fault_at_its_place(read, text, message, hint):
    """One mistake gives one fault, at its line and column, with a hint."""
    before, _, after = text.partition("§")
    with pytest.raises(PolicyFaults) as caught:
        read(before + after)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert fault.message.startswith(message) and hint in fault.hint


def test_a_principal_of_two_segments(read):
    """Who reads two segments can put them together: a warning, and an error where isolation is strict."""
    text = "job: User:j\nsegments: {one: User:a, two: [User:b, User:a]}\n"
    (warning,) = read(text).warnings
    assert (warning.line, warning.column, warning.message) == (2, 39, "'User:a' reads 'two' and 'one', so it can put them together")
    with pytest.raises(PolicyFaults) as caught:
        read(text, "isolation: strict\n")
    assert [(fault.line, fault.column, fault.severity) for fault in caught.value.faults] == [(2, 39, "error")]


@pytest.mark.parametrize("apart", ["one", "two"])
def test_segments_that_are_held_apart_have_readers_of_their_own(read, apart):
    """What held_apart leaves out of the warnings of check is enforced: a principal that reads both segments is an error."""
    text = "job: User:j\nsegments: {one: User:a, two: [User:b, User:a]}\n"
    with pytest.raises(PolicyFaults) as caught:
        read(text, f"held_apart: [{apart}]\n")
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.severity) == (2, 39, "error")
    assert "held_apart" in fault.message and "'one'" in fault.message
    assert read("job: User:j\nsegments: {one: User:a, two: User:b}\nquarantine: User:a\n", "held_apart: [one]\n").warnings != []


def test_a_file_that_cannot_be_read(read, tmp_path):
    """A file that is missing or no text is an InputError that names it."""
    policy = load(PolicySource("p", POLICY.replace("{TOP}", ""))).policy
    with pytest.raises(InputError, match=r"nowhere\.yaml: the principals cannot be read .*Hint: "):
        read_principals(tmp_path / "nowhere.yaml", policy)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        read_principals(tmp_path / "binary", policy)
