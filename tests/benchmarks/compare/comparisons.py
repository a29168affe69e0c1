"""What is compared with what, at which size."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import checks
import inputs
import tables
from environments import OWN
from race import OURS, Contestant

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent


class Size(NamedTuple):
    """How much work: values, texts, census records, events of the smaller Flink job, and rounds that count."""

    values: int
    texts: int
    census: int
    events: int
    rounds: int


FULL, QUICK = Size(20_000, 2_000, 4_000, 200_000, 5), Size(500, 60, 400, 2_000, 2)


class Comparison(NamedTuple):
    """One table.

    Attributes:
        title: of the table.
        unit: of what is counted.
        contestants: the first is ours.
        given: input of a contestant, from the sizes, the contestant's share and a folder.
        check: see `checks`.
        most: rounds at most.
        warm: rounds before that do not count.
    """

    title: str
    unit: str
    contestants: tuple[Contestant, ...]
    given: Callable[["Sources", float], dict[str, Any]]
    check: Callable[[checks.Answers, dict[str, Any]], str]
    most: int = 9
    warm: int = 1


class Sources:
    """Inputs of one run, each made once.

    Attributes:
        size: of the run.
    """

    def __init__(self, size: Size, folder: Path, templates: Path | None, adult: Path | None, texts: Path | None) -> None:
        """Keep where things are.

        Args:
            size: of the run.
            folder: an empty one.
            templates: of texts; None: detection is not compared.
            adult: folder of the Adult extract; None: a generated census.
            texts: file in presidio-evaluator's format; None: texts from the templates.
        """
        self.size, self._folder, self._templates, self._adult, self._texts = size, folder, templates, adult, texts
        self._made: dict[str, Any] = {}

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def values(self, name: str) -> Callable[[float], dict[str, Any]]:
        """A column of values."""
        def share(part: float) -> dict[str, Any]:
            given = self._once("values", lambda: inputs.values(self.size.values))[name]
            return {**given, "values": given["values"][: max(200, round(part * self.size.values))]}

        return share

    def texts(self, part: float) -> dict[str, Any]:
        """Texts with personal data."""
        def make() -> dict[str, Any]:
            if self._texts:
                return inputs.evaluated(self._texts, self.size.texts)
            if self._templates is None:
                raise FileNotFoundError("the templates of texts could not be had")
            return inputs.texts(self.size.texts, self._templates)

        return {**self._once("texts", make), "limit": max(30, round(part * self.size.texts))}

    def census(self, part: float = 1) -> dict[str, Any]:
        """A table of people."""
        rows = self.size.census
        return self._once("census", lambda: {**(tables.adult(self._adult, rows) if self._adult else tables.generated(rows)), "k": 10})

    def released(self, part: float) -> dict[str, Any]:
        """The same table, anonymized."""
        def make() -> dict[str, Any]:
            folder = self._folder / "released"
            folder.mkdir()
            return tables.released(self.census(), 10, folder)

        return self._once("released", make)

    def events(self, part: float) -> dict[str, Any]:
        """Files of events."""
        from flink_masking.keys.files import create

        keys, policy = self._folder / "keys.json", self._folder / "policy_flat.yaml"
        if not keys.exists():
            create(keys)
            shutil.copy(BENCHMARKS / "policy_flat.yaml", policy)
        return {**tables.events(self.size.events, part, self._folder), "policy": str(policy), "keys": f"file://{keys}", "key": "2b" * 32}


def _ours(program: str, name: str, note: str) -> Contestant:
    return Contestant(OURS, (program, name), OWN, 1, note)


_FPE, _TEXTS = "values.py", "texts.py"
COMPARISONS: dict[str, Comparison] = {
    "flink": Comparison("Five fields of flat events masked in a Flink job", "event", (
        _ours("jobs.py", "ours", "policy of 24 lines; audit and quarantine included; HMAC"),
        Contestant("scalar PyFlink UDF by hand", ("jobs.py", "udf"), OWN, 0.3, "orjson, HMAC"),
        Contestant("Flink SQL functions", ("jobs.py", "sql"), OWN, 1, "format json, JSON_OBJECT; SHA-256 of key and value, no HMAC"),
    ), lambda sources, part: sources.events(part), checks.masked, 3, 0),  # jobs have run before, for the first result and the answers
    "fpe": Comparison("Format-preserving encryption of 16 digits", "value", (
        _ours(_FPE, "ours:fpe", "FF1, Arrow array to Arrow array"),
        Contestant("fastfpe", (_FPE, "fastfpe"), "fpe", 1, "FF1 in Rust, a call a value"),
        Contestant("ff3 (mysto)", (_FPE, "ff3"), "fpe", 0.1, "FF3-1 in Python, the cipher made once"),
    ), lambda sources, part: sources.values("fpe")(part), checks.same),
    "pseudonym": Comparison("HMAC-SHA-256 of 11 characters, in hex", "value", (
        _ours(_FPE, "ours:pseudonym", "Arrow array to Arrow array"),
        Contestant("hmac.digest", (_FPE, "hmac"), OWN, 1, "standard library, a call a value"),
        Contestant("pyca/cryptography HMAC", (_FPE, "hmac:pyca"), OWN, 1, "the keyed state copied for each value"),
    ), lambda sources, part: sources.values("pseudonym")(part), checks.same),
    "deterministic": Comparison("AES-SIV of e-mail addresses, as text", "value", (
        _ours(_FPE, "ours:siv", "Arrow array to Arrow array"),
        Contestant("pyca/cryptography AESSIV", (_FPE, "siv"), OWN, 1, "the cipher made once, a call a value"),
    ), lambda sources, part: sources.values("siv")(part), checks.same),
    "randomised": Comparison("Authenticated encryption of e-mail addresses, as text", "value", (
        _ours(_FPE, "ours:gcm", "XAES-256-GCM, 192 bits of nonce"),
        Contestant("pyca/cryptography AESGCM", (_FPE, "gcm"), OWN, 1, "AES-256-GCM, 96 bits of nonce"),
    ), lambda sources, part: sources.values("gcm")(part), checks.same),
    "detection": Comparison("Personal data found in short texts", "text", (
        _ours(_TEXTS, "ours:find", "all types, no model"),
        Contestant("Presidio, patterns", (_TEXTS, "presidio:patterns"), "presidio", 0.5, "batch interface, blank spaCy pipeline"),
        Contestant("Presidio, en_core_web_sm", (_TEXTS, "presidio:model"), "presidio", 0.1, "batch interface, spaCy's pipe"),
    ), lambda sources, part: sources.texts(part), checks.spans),
    "redaction": Comparison("Personal data in short texts found and replaced", "text", (
        _ours(_TEXTS, "ours:replace", "technique redact_text"),
        Contestant("Presidio, patterns, anonymizer", (_TEXTS, "presidio:patterns+anonymizer"), "presidio", 0.5, "as above"),
        Contestant("Presidio, en_core_web_sm, anonymizer", (_TEXTS, "presidio:model+anonymizer"), "presidio", 0.1, "as above"),
    ), lambda sources, part: sources.texts(part), checks.replaced),
    "anonymity": Comparison("k-anonymity of a census table, k = 10", "record", (
        _ours("census.py", "ours:whole", "Mondrian over the whole table"),
        Contestant(f"{OURS}, streaming", ("census.py", "ours:stream"), OWN, 1, "at most 1,000 records held at a time"),
        Contestant("anonypy", ("census.py", "anonypy"), "anonypy", 1, "Mondrian over the whole table, categories as pandas categories"),
    ), lambda sources, part: sources.census(part), checks.groups),
    "measurement": Comparison("k and l of a released table measured", "record", (
        _ours("census.py", "ours:verify", "reads both files; labels, coverage, loss and risks besides"),
        Contestant("pycanon", ("census.py", "pycanon"), "anonypy", 1, "k and l only, of a table in memory"),
    ), lambda sources, part: sources.released(part), checks.measures),
}
