"""What a running job needs to follow a change of policy."""

import pytest

from flink_masking.policy.changes import changes, most
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: s
subject: id
event_time: {field: at, max_out_of_orderness: 5s}
fields:
  id: {class: identifier}
  at: {class: plain, type: datetime}
  email: {class: direct, optional: true}
  age: {class: quasi, domain: [0, 120]}
  spent: {class: measure, bounds: [0, 100]}
segments:
  masked:
    view: masked
    rules: {id: {technique: pseudonym, domain: d}, email: redact, age: keep, at: keep, spent: drop}
  groups: {view: anonymized, k: 2, quasi_identifiers: [age], max_delay: 1h, max_buffer: 100}
  sums:
    view: aggregated
    window: {tumbling: 1h}
    metrics: {n: count}
    privacy: {epsilon: 1, delta: 1.0e-6}
"""


def between(*replacements, policy=POLICY, files=None):
    """The changes that replacing texts makes, as place → effect."""
    text = policy
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    one, other = (load(PolicySource("p", part, given or {})) for part, given in ((policy, files and files[0]), (text, files and files[1])))
    return {change.place: change.effect for change in changes(one, other)}


def test_no_change_is_none():
    """A policy and itself have no change, whatever stands in it; the version is none."""
    assert between() == {} and between(("version: 1", "version: 2")) == {} and most([]) == "live"


@pytest.mark.parametrize(("old", "new", "place", "effect"), [
    ("email: redact", "email: {technique: partial, keep_last: 4}", "segments.masked.rules.email", "live"),
    ("email: redact", "email: drop", "segments.masked.rules.email", "live"),
    ("email: redact", 'email: {technique: redact, within: {prefix: "a@"}}', "segments.masked.rules.email", "live"),
    ("email: {class: direct, optional: true}", "email: {class: direct, optional: true, type: email}", "fields.email", "live"),
    ("  email: {class", "  more: {class: plain, optional: true}\n  email: {class", "fields.more", "live"),
    ("stream: s\n", "stream: s\nunknown_fields: drop\n", "unknown_fields", "live"),
    ("stream: s\n", "stream: s\ncontract: strict\n", "contract", "live"),
    ("    view: masked\n", "    view: masked\n    order: shuffled\n", "segments.masked.order", "live"),
    ("    rules: {id", "    record: {key: {technique: pseudonym, domain: d}}\n    rules: {id", "segments.masked.record.key", "savepoint"),
    ("    rules: {id", "    record: {headers: {h: keep}}\n    rules: {id", "segments.masked.record.headers.h", "savepoint"),
    ("    rules: {id", "    record: {timestamp: keep}\n    rules: {id", "segments.masked.record.timestamp", "savepoint"),
    ("  groups: {", "  other: {", "segments.other", "savepoint"),
    ("max_delay: 1h", "max_delay: 2h", "segments.groups.max_delay", "savepoint"),
    ("epsilon: 1,", "epsilon: 2,", "segments.sums.privacy", "savepoint"),
    ("max_out_of_orderness: 5s", "max_out_of_orderness: 6s", "event_time", "savepoint"),
    ("at: {class: plain, type: datetime}", "at: {class: plain, type: datetime, optional: false}", "fields.at", "savepoint"),
    ("domain: [0, 120]", "domain: [0, 130]", "segments.groups", "new state"),
    ("tumbling: 1h", "tumbling: 2h", "segments.sums", "new state"),
    ("view: anonymized, k: 2", "view: anonymized, shards: 2, k: 2", "segments.groups", "new state"),
    ("stream: s\n", "stream: t\n", "stream", "new state"),
    ("stream: s\n", "stream: s\nerasure: {later: pass}\n", "erasure", "live"),
])
def test_the_effect_of_a_change(old, new, place, effect):
    """Each kind of change is told with its place and what it needs."""
    assert between((old, new))[place] == effect


def test_no_change_of_a_text_is_overlooked():
    """Every member of the policy that differs is a change: none of these texts can be replaced without one."""
    for old, new in (("redact", "nullify"), ("age: keep", "age: drop"), ("domain: d", "domain: e"), ("k: 2", "k: 3"), ("max_buffer: 100",
                     "max_buffer: 200"), ("subject: id", "subject: email"), ("bounds: [0, 100]", "bounds: [0, 101]"), ("1.0e-6", "1.0e-7")):
        assert between((old, new)), old


def test_every_member_of_a_policy_has_an_effect():
    """A member that nobody has thought of takes a restart: no list names a member that policies do not have."""
    from flink_masking.policy import changes as module
    from flink_masking.policy.model import Policy

    assert {*module._LIVE, *module._APART} <= set(Policy.model_fields)
    found = {change.effect for change in changes(loaded("json"), loaded("csv", "columns: [id]\n"))}
    assert found == {"savepoint"}


def loaded(kind, more=""):
    """A policy of a format."""
    return load(PolicySource("p", f"version: 1\nstream: s\nformat: {kind}\n{more}fields: {{id: {{class: identifier}}}}\n"
                                  "segments: {masked: {view: masked, rules: {id: keep}}}\n"))


def test_columns_of_formats_with_a_header():
    """Of CSV, a column that comes or goes needs a restart, and another rule does not."""
    csv = ("version: 1\nstream: s\nformat: csv\ncolumns: [id, ssn]\nfields: {id: {class: identifier}, ssn: {class: direct}}\n"
           "segments: {masked: {view: masked, rules: {id: keep, ssn: drop}}}\n")
    assert between(("ssn: drop", "ssn: redact"), policy=csv) == {"segments.masked.rules.ssn": "savepoint"}
    assert between(("id: keep", "id: redact"), policy=csv) == {"segments.masked.rules.id": "live"}
    assert between(("columns: [id, ssn]", "columns: [ssn, id]"), policy=csv) == {"columns": "savepoint"}


def test_files_that_a_policy_names():
    """A hierarchy with other contents is live in a masked segment, and no live change where a stateful one reads it."""
    text = ("version: 1\nstream: s\nsubject: id\nfields: {id: {class: identifier}, job: {class: quasi, hierarchy: jobs.csv}}\n"
            "segments: {masked: {view: masked, rules: {id: drop, job: {technique: generalize, level: 1}}}}\n")
    files = {"jobs.csv": "a;x;*\nb;x;*\n"}, {"jobs.csv": "a;x;*\nb;y;*\n"}
    assert between(policy=text, files=files) == {"file jobs.csv": "live"}
    stateful = text.replace("}}}}\n", "}}}, groups: {view: anonymized, k: 2, quasi_identifiers: [job]}}\n")
    assert set(between(policy=stateful, files=files).values()) == {"savepoint", "new state"}
