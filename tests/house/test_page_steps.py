"""What follows pages of the documentation sees differences between a page and what a command prints."""

from page_steps import Step, steps

PAGE = """\
<!-- runs: touch x -->
```yaml title="a.yaml"
a: 1
```
```yaml
b: 2
```
```console
$ one \\
    --two
said
$ three
```
<!-- values vary -->
```console
four   # remark
five
```
<!-- ends with 0 or 1 -->
```console
again
```
<!-- ends with 1 -->
<!-- stays, and says: at work -->
```console
six
```
"""


def test_output_is_compared():
    """Blanks and line breaks do not matter; words, numbers and what comes before or after do."""
    step = Step(1, "", "command", "5 records\nof format json\n")
    assert step.matches("5  records of\n format json")
    others = ("6 records of format json", "5 records of format json, 1 broken", "5 records of format", "")
    assert [text for text in others if step.matches(text)] == []


def test_what_varies_is_named():
    """An ellipsis is any text, a pseudonym any pseudonym; numbers and JSON strings are any others only where the page says so."""
    line = '{"id":"jkV1tRjvtdUUgGzPGjLtXy","name":"ann", … ,"amount":3.50}\n'
    other = '{"id":"XLDR6p3CvdEMWiO04Gd6uk","name":"ann","x":1,"amount":3.50}'
    assert Step(1, "", "command", line).matches(other)
    assert not Step(1, "", "command", line).matches(other.replace("XLDR6p3CvdEMWiO04Gd6uk", "CUST1"))
    assert not Step(1, "", "command", line).matches(other.replace("3.50", "4.25"))
    assert not Step(1, "", "command", line).matches(other.replace("ann", "bob"))
    assert Step(1, "", "command", line, loose=True).matches(other.replace("3.50", "4,000").replace("ann", "bob"))
    assert Step(1, "", "command", line, loose=True).matches(other.replace("3.50", "-0.25").replace('"ann"', "null"))
    assert not Step(1, "", "command", line, loose=True).matches(other.replace("3.50", "null").replace('"ann"', "-1"))
    assert not Step(1, "", "command", line, loose=True).matches(other.replace("amount", "total"))


def test_the_steps_of_a_page(tmp_path):
    """Files by their title, commands with and without prompts, continued lines, and commands that readers do not see."""
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert [(step.file, step.text.split("#")[0].strip(), step.printed, step.loose) for step in steps(page)] == [
        ("", "touch x", None, False), ("a.yaml", "a: 1", None, False), ("", "one --two", "said\n", False), ("", "three", None, False),
        ("", "four", None, True), ("", "five", None, True), ("", "again", None, False),
        ("", "six", None, False)]  # fmt: skip
    assert [(step.codes, step.stays) for step in steps(page)[-3:]] == [((0,), ""), ((0, 1), ""), ((1,), "at work")]


def test_which_commands_need_a_shell():
    """A command of flink-masking with nothing for a shell is taken apart; any other is left to one."""
    assert Step(1, "", "flink-masking audit trace 'a b'  # why").arguments == ["audit", "trace", "a b"]
    assert [Step(1, "", text).arguments for text in ("flink-masking a > b", "grep x", "flink-masking a $B")] == [[], [], []]
