"""SQL functions on pandas columns, as Flink's workers call them."""

import datetime
import json
import logging
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import yaml

import udfs
from flink_masking import Protector
from flink_masking.errors import FlinkMaskingError, InputError, KeyRingError, PolicyError, VaultError
from flink_masking.keys.files import create, edit
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.source import PolicySource
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.session import ACTOR, KEYS, PURPOSE, VAULT

CARD, OTHER_CARD = "4111111111111111", "5555555555554444"
VALUES = ["jane.doe@example.com", None, CARD, OTHER_CARD, "123-45-6789", "12", ""]
CALLS = {name: function for name, function in FUNCTIONS.items() if function.takes == "arguments" and not function.back}


def texts(values):
    """A column of STRING."""
    return pd.Series(values, dtype=object)


@pytest.fixture
def parameters(tmp_path, key_uri):
    """Job parameters of an authorised session with keys and a vault."""
    return {KEYS: key_uri, VAULT: f"sqlite://{tmp_path}/vault.db", ACTOR: "jane.doe", PURPOSE: "ticket 4711"}


@pytest.fixture
def call(parameters):
    """Open a function and call it once: its results as a list."""
    def once(name, value, *arguments, **changed):
        function = opened(name, {**parameters, **changed.get("given", {})})
        return function.eval(value, *arguments).tolist()

    return once


def opened(name, parameters):
    """A function as a worker has it after open()."""
    template = getattr(udfs, name)._func
    function = type(template)(name)

    class Context:
        """Job parameters as Flink gives them."""

        def get_job_parameter(self, key, default):
            """One of them."""
            return parameters.get(key, default)

        def get_number_of_parallel_subtasks(self):
            """One worker."""
            return 1

        def get_index_of_this_subtask(self):
            """The first."""
            return 0

    function.open(Context())
    return function


@pytest.mark.parametrize("name", CALLS)
def test_null_gives_null_and_nothing_passes(call, name):
    """NULL gives NULL; no other value but "" comes out as it went in, taken or refused; of a text, what is no entity stays."""
    result = call(name, texts(VALUES), *CALLS[name].example)
    assert len(result) == len(VALUES)
    assert result[1] is None
    as_before = [value for value, made in zip(VALUES, result, strict=True) if value and made == value]
    assert as_before == (["12"] if name == "redact_text" else [])


@pytest.mark.parametrize("name", CALLS)
def test_columns_of_nulls_and_empty_columns(call, name):
    """A column of NULLs gives NULLs, an empty one gives an empty one."""
    assert call(name, texts([None, None]), *CALLS[name].example) == [None, None]
    assert call(name, texts([]), *CALLS[name].example) == []


@pytest.mark.parametrize("name", [name for name, function in CALLS.items() if function.deterministic])
def test_slices_give_the_same(call, name):
    """How rows are cut into batches changes nothing for functions that are called deterministic."""
    whole = call(name, texts(VALUES), *CALLS[name].example)
    assert [call(name, texts([value]), *CALLS[name].example)[0] for value in VALUES] == whole


def test_mask_takes_the_words_of_a_policy(call):
    """A rule in flow style, and a technique's name alone."""
    rule = '{technique: partial, keep_first: 1, keep_after: "@"}'
    assert call("mask", texts(["jane@example.com", None, "x"]), rule) == ["j***@example.com", None, "***"]
    assert call("mask", texts(["jane"]), "redact") == ["***"]
    assert call("mask", texts(["jane"]), "keep") == ["jane"]
    assert call("mask", texts(["jane"]), "drop") == [None]


def test_a_call_is_short_for_a_rule(call):
    """A function gives what its rule gives."""
    pairs = [
        (("pseudonym", "customer", 10), "{technique: pseudonym, domain: customer, length: 10}"),
        (("generalize", "width", 10), "{technique: generalize, width: 10}"),
        (("mask_last", 4), "{technique: partial, keep_last: 4, keep_separators: true}"),
        (("fpe_encrypt", "pan", "card"), "{technique: fpe, domain: pan, format: card, luhn: true}"),
        (("fpe_encrypt", "pan", "digits"), "{technique: fpe, domain: pan, alphabet: digits}"),
        (("substitute", "city"), "{technique: substitute, as: city}"),
    ]
    for (name, *arguments), rule in pairs:
        column = pd.Series([41, 7]) if name == "generalize" else texts(VALUES)
        assert call(name, column, *arguments) == call("mask", column, rule)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{technique: redakt}", "unknown technique 'redakt'\n    hint: did you mean 'redact'"),
        ("{technique: partial, keep_frist: 1}", "mask: rule:1:22: unknown key 'keep_frist'\n    hint: did you mean 'keep_first'"),
        ("{technique: partial", "broken YAML"),
        ("[redact]", "the rule must be a technique. Hint: 'keep', or"),
        ("{keep_first: 1}", "has no technique. Hint: {technique: name"),
        ("{technique: redact, on_error: quarantine}", "no quarantine in SQL. Hint: on_error: redact"),
        ("{technique: date_shift, max_days: 3}", r"Hint: date_shift\(value, subject, max_days"),
        ("{technique: generalize, hierarchy: a.csv, level: 1}", r"no files beside it. Hint: .*protect\(payload, segment\)"),
        (" ", "mask: the rule is empty. Hint: write"),
    ],
)
def test_wrong_rules_are_told(call, rule, said):
    """What is wrong with a rule is said with its place and a hint."""
    with pytest.raises(PolicyError, match=said):
        call("mask", texts(["jane"]), rule)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "said"),
    [
        ("pseudonym", (7,), PolicyError, "'domain' must be text, not a whole number. Hint: write pseudonym"),
        ("mask_partial", (-1, 2), PolicyError, "'keep_first' must be at least 0"),
        ("mask_partial", (1, None), InputError, "keep_last is NULL"),
        ("mask", (None,), InputError, "rule is NULL"),
        ("mask", (7,), InputError, "a rule is a text"),
        ("generalize", ("widht", 10), PolicyError, "did you mean 'width'"),
        ("substitute", ("cities",), PolicyError, "did you mean 'city'"),
        ("fpe_encrypt", ("pan", "x"), PolicyError, "fpe_encrypt: "),
        ("redact", (True,), PolicyError, "'with' must be text"),
        ("unmask", ("{technique: redact}",), PolicyError, "redact is not reversible. Hint: reversible are .*fpe"),
        ("pseudonym", (texts(["d"]),), InputError, "domain is a column. Hint: write it as a literal"),
    ],
)
def test_wrong_arguments_are_told(call, name, arguments, error, said):
    """What is wrong with an argument is said with the function's name and a hint."""
    with pytest.raises(error, match=f"{said}.*" if "Hint" in said else said) as raised:
        call(name, texts(["jane"]), *arguments)
    assert "Hint:" in str(raised.value) and name in str(raised.value)


@pytest.mark.parametrize(
    ("column", "written"),
    [
        (pd.Series([41, 1 << 60]), ["41", "1152921504606846976"]),
        (pd.Series([41.0, np.nan, 2.5]), ["41", None, "2.5"]),
        (pd.Series([float(1 << 60), np.inf, 1.0]), ["***", "***", "1"]),
        (texts([Decimal("12.50"), None]), ["12.50", None]),
        (texts([True, None, False]), ["true", None, "false"]),
        (pd.Series([True, False]), ["true", "false"]),
        (texts([datetime.date(2024, 3, 15), None]), ["2024-03-15", None]),
        (texts([datetime.time(10, 30)]), ["10:30:00"]),
        (pd.Series(np.array(["2024-03-15T10:30:00.120", "2024-03-15T10:30:00", "NaT"], "datetime64[ns]")),
         ["2024-03-15T10:30:00.12", "2024-03-15T10:30:00", None]),
    ],
)  # fmt: skip
def test_types_of_columns(call, column, written):
    """Numbers are written in decimal, times in ISO form, whatever else is in the batch; what cannot be told exactly is refused."""
    assert call("mask", column, "keep") == written


def test_a_column_of_numbers_is_no_text(call):
    """Where a format is kept, numbers are refused and hidden; cast to text they are taken. Where none is, numbers count by their text."""
    numbers = pd.Series([4111111111111111])
    assert call("fpe_encrypt", numbers, "pan", "card") == call("mask_last", numbers, 4) == ["***"]
    assert call("fpe_encrypt", numbers.astype(str), "pan", "card") != ["***"]
    assert call("pseudonym", numbers, "d") == call("pseudonym", numbers.astype(str), "d")


def test_columns_without_text_are_refused(call):
    """Bytes and arrays are no values; the message says what to write."""
    with pytest.raises(InputError, match=r"BYTES.*Hint: DECODE"):
        call("redact", texts([b"jane"]))
    with pytest.raises(InputError, match=r"Hint: CAST"):
        call("redact", texts([[1, 2], [3]]))


@pytest.mark.parametrize("value", ["jane", 7, None])
def test_a_literal_is_no_column(call, value):
    """A literal in the place of the value is refused: Flink does not say for how many rows it stands."""
    with pytest.raises(InputError, match=r"redact: the value is a literal. Hint: the first argument is a column"):
        call("redact", value)


def test_dates_move_with_their_person(call):
    """All dates of a person move alike; a date without a person is refused."""
    dates = texts([datetime.date(2024, 3, 15), datetime.date(2024, 3, 20), datetime.date(2024, 3, 15), None])
    first, second, none, null = call("date_shift", dates, texts(["a", "a", None, "a"]), 30)
    assert datetime.date.fromisoformat(second) - datetime.date.fromisoformat(first) == datetime.timedelta(5)
    assert (none, null) == ("***", None)
    assert call("date_shift", dates, "a", 30)[:2] == [first, second]


@pytest.mark.parametrize(
    ("forth", "back", "arguments"),
    [
        ("encrypt", "decrypt", ("name",)),
        ("encrypt_deterministic", "decrypt", ("name",)),
        ("tokenize", "detokenize", ("name",)),
        ("tokenize", "detokenize", ("card", "digits")),
        ("fpe_encrypt", "fpe_decrypt", ("pan", "card")),
        ("fpe_encrypt", "fpe_decrypt", ("ssn", "digits")),
    ],
)
def test_there_and_back(call, forth, back, arguments):
    """What was taken comes back, NULL stays NULL, what is no result of the function gives NULL."""
    made = call(forth, texts(VALUES), *arguments)
    taken = [value if value in (None, "") or one != "***" else None for value, one in zip(VALUES, made, strict=True)]
    assert CARD in taken
    assert call(back, texts(made), *arguments) == taken
    assert call(back, texts(["not one of ours", None]), *arguments) == [None, None]


def test_decrypt_opens_a_mixed_column(call):
    """Values of both forms of encryption may stand in one column."""
    mixed = [*call("encrypt", texts(["a", "b"]), "d"), None, *call("encrypt_deterministic", texts(["c"]), "d"), "fm1.nothing"]
    assert call("decrypt", texts(mixed), "d") == ["a", "b", None, "c", None]
    assert call("decrypt", texts(mixed), "other") == [None] * 5


def test_unmask_is_the_way_back_of_a_rule(call):
    """unmask takes the rule that mask took; encrypted values open at the path that they were encrypted for."""
    rule = "{technique: fpe, domain: id, alphabet: alphanumeric, keep_first: 1}"
    assert call("unmask", texts(call("mask", texts(["Abc-123456"]), rule)), rule) == ["Abc-123456"]
    made = texts(call("encrypt", texts(["x"]), "d"))
    assert call("unmask", made, "{technique: encrypt, domain: d}") == ["x"]
    assert call("unmask", made, "{technique: encrypt, domain: d}", "customer.name") == [None]


POLICY = """\
version: 1
stream: orders
fields:
  customer.name: {class: direct}
  customer.born: {class: direct}
  phones[*]: {class: direct}
  address: {class: direct, type: json}
  card: {class: direct, type: payment_card}
  ssn: {class: direct}
segments:
  kept:
    view: masked
    rules:
      customer.name: {technique: encrypt, domain: person}
      customer.born: {technique: encrypt_deterministic, domain: person}
      phones[*]: {technique: encrypt, domain: person}
      address: {technique: encrypt, domain: person}
      card: {technique: fpe, domain: pan, format: card, luhn: true}
      ssn: {technique: tokenize, domain: ssn}
"""
ORDER = {"customer": {"name": "Jane Doe", "born": "1980-02-29"}, "phones": ["+1 555 123 4567", None],
         "address": {"city": "Brno", "zip": 60200}, "card": CARD, "ssn": "123-45-6789"}  # fmt: skip


def test_sql_opens_what_a_policy_has_protected(call, parameters):
    """unmask with a policy's rule, path and stream opens each reversible value of a view; at another place encrypted ones stay shut."""
    protector = Protector(PolicySource("policy.yaml", POLICY), parameters[KEYS], parameters[VAULT])
    (line,) = protector.protect([json.dumps(ORDER)]).views["kept"].to_pylist()
    row = json.loads(line)
    rules = {path: json.dumps(rule) for path, rule in yaml.safe_load(POLICY)["segments"]["kept"]["rules"].items()}
    values = {"customer.name": [row["customer"]["name"]], "customer.born": [row["customer"]["born"]], "phones[*]": row["phones"],
              "address": [row["address"]], "card": [row["card"]], "ssn": [row["ssn"]]}  # fmt: skip
    clear = {"customer.name": ["Jane Doe"], "customer.born": ["1980-02-29"], "phones[*]": ORDER["phones"],
             "address": ['{"city": "Brno", "zip": 60200}'], "card": [CARD], "ssn": [ORDER["ssn"]]}  # fmt: skip
    assert {path: call("unmask", texts(value), rules[path], path, "orders") for path, value in values.items()} == clear
    for path in ("customer.name", "customer.born", "phones[*]", "address"):
        for elsewhere in (("sql", "orders"), ("customer.nam", "orders"), ("customer", "orders"), (path,), (path, "payments")):
            assert call("unmask", texts(values[path]), rules[path], *elsewhere) == [None] * len(values[path])
    with pytest.raises(InputError, match="path is NULL"):
        call("unmask", texts(["x"]), rules["customer.name"], None)


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.back])
def test_clear_values_have_a_reason(parameters, name):
    """A function that gives clear values back does not open without actor and purpose."""
    for missing in (ACTOR, PURPOSE):
        with pytest.raises(InputError, match=f"{name} gives clear values back, and the session does not say {missing}. Hint: SET"):
            opened(name, {**parameters, missing: " "})


def test_the_way_back_is_audited(call, caplog):
    """Each batch that is opened writes one JSON line: who, why, function, domain, count; never a value."""
    made = texts([*call("encrypt", texts(["secret-one", "secret-two"]), "name"), "fm1.broken", None])
    with caplog.at_level(logging.INFO, "flink_masking.audit"):
        call("decrypt", made, "name")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "flink_masking.audit"]
    event = json.loads(line)
    assert event.pop("time").endswith("Z")
    assert event == {"event": "unprotect", "actor": "jane.doe", "purpose": "ticket 4711", "function": "decrypt", "domain": "name",
                     "count": 3, "opened": 2}  # fmt: skip
    assert "secret" not in line


def test_keys_and_vault_are_asked_for_when_they_are_needed(call):
    """Functions without keys work in a session that names none; the others say what to set, and so do tokens without a vault."""
    assert call("redact", texts(["jane"]), given={KEYS: "", VAULT: ""}) == ["***"]
    with pytest.raises(KeyRingError, match=r"names no key ring. Hint: SET 'pipeline.global-job-parameters' = '{flink-masking.keys"):
        call("pseudonym", texts(["jane"]), "d", given={KEYS: ""})
    with pytest.raises(VaultError, match=r"names no token vault. Hint: SET"):
        call("tokenize", texts(["jane"]), "d", given={VAULT: ""})


def test_literals_are_compiled_once(parameters, monkeypatch):
    """A literal is parsed once, not for each batch; another one is parsed anew."""
    from flink_masking.sql import call as module

    compiled = []
    real = module.compile_call
    monkeypatch.setattr(module, "compile_call", lambda *arguments: compiled.append(arguments[1]) or real(*arguments))
    function = opened("pseudonym", parameters)
    for domain in ("a", "a", "b", "a"):
        function.eval(texts(["jane"]), domain)
    assert compiled == [("a",), ("b",)]


def test_keys_are_taken_up_while_a_job_runs(tmp_path, parameters):
    """After a look at the ring a promoted version is used, and what the one before has made opens."""
    path = tmp_path / "keys.json"
    create(path)
    function = opened("encrypt_deterministic", {**parameters, KEYS: f"file://{path}"})
    before = function.eval(texts(["jane"]), "d").tolist()
    edit(path, lambda data: KeyRing.parse(data, "keys").rotated().dump())
    function._call._session._watcher._next = 0.0  # the interval is over
    after = function.eval(texts(["jane"]), "d").tolist()
    assert before != after
    assert opened("decrypt", {**parameters, KEYS: f"file://{path}"}).eval(texts([*before, *after]), "d").tolist() == ["jane", "jane"]


def test_errors_hold_no_value(call):
    """No error text quotes a cell."""
    for name, column in (("redact", texts([b"jane.doe"])), ("mask", texts(["jane.doe"]))):
        with pytest.raises(FlinkMaskingError) as raised:
            call(name, column, *(["{technique: nope}"] if name == "mask" else []))
        assert "jane" not in str(raised.value)
