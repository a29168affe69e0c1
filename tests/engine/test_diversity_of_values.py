"""l-diversity counts values, not spellings: what looks like another value must be another one."""

import orjson
import pytest

POLICY = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  age: {class: quasi, domain: [0, 120]}
  illness: {class: sensitive%s}
segments:
  partners:
    view: anonymized
    k: 5
    quasi_identifiers: [age]
    release: [illness]
    max_delay: 1h
    %s
"""
L2, ALPHA = "l_diversity: {field: illness, l: 2}", "alpha_k: {field: illness, alpha: 0.5, values: [flu, '1']}"
CLOSE = "t_closeness: {field: illness, t: 0.2, distance: ordered, values: [flu, '1', cold, gout]}"


def released(run, values, rule=L2, declared=""):
    """How many of ten people's records leave, who have these values in turn."""
    rows = [b'{"id":"p%d","age":33,"illness":%s}' % (i, value) for i, value in enumerate(values * 10) if i < 10]
    done = run(POLICY % (declared, rule), rows)
    assert len(done.entries) + done.counts["partners"]["released"] + done.counts["partners"]["suppressed"] == 10
    return done.counts["partners"]["released"]


@pytest.mark.parametrize("values", [[b"1", b"1.0"], [b"0", b"-0.0"], [b"1e2", b"100"], [b"2.50", b"2.5"]])
def test_numbers_count_by_value(run, values):
    """Two ways of writing a number are no two values: a group of nothing else does not leave."""
    assert released(run, values) == 0
    assert released(run, [*values, b"7"]) == 10


@pytest.mark.parametrize("values", [[b'"flu"', b'"Flu"'], [b'"flu"', b'" flu "'], [b'"flu"', b'"\\ufb02u"'], [b'"1"', b'"1.0"', b"1"]])
def test_text_counts_without_case_and_blanks_where_that_is_asked_for(run, values):
    """Under compare: folded spellings of a text are one value; without it they are as many as are written."""
    assert released(run, values, declared=", compare: folded") == 0
    assert released(run, values) == 10
    assert released(run, [*values, b'"gout"'], declared=", compare: folded") == 10


def test_shares_count_all_spellings(run):
    """A bounded share is that of all spellings of the value, and a listed value is met by number and, folded, in any case."""
    spelt = [b'"flu"', b'"FLU "', b'"cold"']
    assert released(run, spelt, ALPHA, ", compare: folded") < released(run, spelt, ALPHA) == 10
    assert released(run, [b"1", b"1.00", b'"cold"'], ALPHA) < 10
    values = [b'"flu"', b"1.0", b'"cold"', b'"gout"']
    assert released(run, values, CLOSE) == 10
    assert released(run, [b'"FLU"', *values[1:]], CLOSE) < 10  # not listed: to quarantine
    assert released(run, [b'"FLU"', *values[1:]], CLOSE, ", compare: folded") == 10


def test_released_values_stay_as_they_are(run):
    """What is compared is not what is shown: values leave byte for byte as they came."""
    rows = [b'{"id":"p%d","age":33,"illness":%s}' % (i, v) for i, v in enumerate([b"1.50", b"7", b"1.5", b"7.0", b'" Flu"'])]
    lines = run(POLICY % (", compare: folded", L2), rows).released["partners"]
    shown = sorted(line.partition(b'"illness":')[2].rstrip(b"}") for line in lines)
    assert shown == sorted([b"1.50", b"7", b"1.5", b"7.0", b'" Flu"']) and all(orjson.loads(line) for line in lines)
