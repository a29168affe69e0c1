"""Whatever is written, loading ends with a policy or with faults that have a place."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

WORDS = st.sampled_from(
    ["1", "-1", "0.5", "1e400", "true", "~", "''", "[]", "{}", "[1, x]", "{a: 1}", "'*'", "age", "customerId", "card", "contacts[*].phone",
     "profile", "location", "keep", "drop", "masked", "anonymized", "aggregated", "5s", "0s", "json", "avro", "a[", '"\\ud800"', "é",
     "&a x", "*a", "!x y", "{technique: keep}", "{technique: {}}", "{sum: age}", "{zip: {width: 1}}", "[[[[]]]]", "2024-01-01", "quasi",
     "measure"]
)  # fmt: skip
settings_ = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ends_well(source: PolicySource) -> None:
    """Load; faults must have places inside the text and texts that can be printed."""
    try:
        loaded = load(source)
    except PolicyFaults as error:
        lines = source.text.count("\n") + 2
        assert error.faults and all(1 <= fault.line <= lines and fault.column >= 1 and fault.message for fault in error.faults)
        str(error).encode()
    else:
        for warning in loaded.warnings:
            warning.text("p").encode()


@settings_
@given(data=st.data())
def test_values_and_keys_in_other_places(reference, data):
    """Words of policies put in the place of other words never end in anything but faults or a policy."""
    text = reference.text
    for _ in range(data.draw(st.integers(1, 3))):
        lines = text.split("\n")
        number = data.draw(st.integers(0, len(lines) - 1))
        words = lines[number].split(" ")
        position = data.draw(st.integers(0, len(words) - 1))
        word = data.draw(WORDS)
        ending = words[position][-1:] if words[position][-1:] in ",:}]" else ""
        words[position] = data.draw(st.sampled_from([word, word + ending, word + ":", ""]))
        lines[number] = " ".join(words)
        text = "\n".join(lines)
    ends_well(PolicySource("p.yaml", text, reference.files))


@settings_
@given(data=st.data())
def test_lines_moved_and_lost(reference, data):
    """Lines left out, repeated or indented otherwise never end in anything but faults or a policy."""
    lines = reference.text.split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["lose", "repeat", "indent", "swap"])):
            case "lose":
                lines[number : number + 1] = []
            case "repeat":
                lines.insert(data.draw(st.integers(0, len(lines))), lines[number])
            case "indent":
                lines[number] = data.draw(st.sampled_from(["", " ", "  ", "\t", "- "])) + lines[number].lstrip()
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[number], lines[other] = lines[other], lines[number]
    ends_well(PolicySource("p.yaml", "\n".join(lines), reference.files))


@settings_
@given(st.text(max_size=60))
def test_any_text(text):
    """Any text at all ends with faults."""
    ends_well(PolicySource("p.yaml", text))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet='ab;,*\n"\0 é', max_size=40))
def test_any_hierarchy(reference, text):
    """Any hierarchy file ends with a policy or with faults."""
    ends_well(PolicySource("p.yaml", reference.text, {"hierarchies/us_city.csv": text}))
