"""Speed of tokenize: a warm cache, and each vault for values that are new to it, that it knows, and on the way back.

Real time of one thread, waits for the disk included, over batches of 10,000 values: the median batch. For SQLite, which works in this
process, new values are given in processor time as well, which other programs on the machine disturb less. The comparison is what a function
without batches does: one statement and one commit for each value into the same SQLite settings.
``python tests/benchmarks/bench_vault.py``.
"""

import importlib.util
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Masked, Values
from flink_masking.techniques.tokenize.mask import TokenizeParams
from flink_masking.techniques.tokenize.mask import make as make_tokenize
from flink_masking.techniques.tokenize.mask import unmake as unmake_tokenize
from flink_masking.vault.base import Vault
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault

ROWS, BATCHES = 10_000, 15
CONTEXT = Context(bytes(32))
FORMS: dict[str, dict[str, Any]] = {
    "uuid": {"domain": "uuid"},
    "digits": {"domain": "digits", "format": "digits", "luhn": "valid"},
    "alphanumeric": {"domain": "alphanumeric", "format": "alphanumeric"},
}


def column(text: pa.StringArray) -> Values:
    """Texts as the values of a field."""
    return Values(text, np.full(len(text), Kind.STRING, np.int32), np.arange(len(text), dtype=np.int32))


def cards(batch: int) -> Values:
    """Card numbers that no other batch has."""
    return column(pa.array([f"{4_000_000_000_000_000 + 7919 * (batch * ROWS + k)}" for k in range(ROWS)]))


def median_rates(work: Callable[[Values], Masked], batches: list[Values]) -> tuple[float, float]:
    """Values per second of real and of processor time in the median batch."""
    real, processor = [], []
    for values in batches:
        start, begin = time.perf_counter(), time.process_time()
        work(values)
        real.append(time.perf_counter() - start)
        processor.append(time.process_time() - begin)
    return ROWS / statistics.median(real), ROWS / statistics.median(processor)


def median_rate(work: Callable[[Values], Masked], batches: list[Values]) -> float:
    """Values per second in the median batch."""
    return median_rates(work, batches)[0]


def one_by_one(path: Path) -> float:
    """Values per second of a statement and a commit each, with the durability of the vault, sealing and lookups left away."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE tokens (value TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE)")
    n, start = 300, time.perf_counter()
    for k in range(n):
        database.execute("INSERT INTO tokens VALUES (?, ?) ON CONFLICT DO NOTHING", (f"{k:016d}", str(uuid.uuid4())))
        database.execute("SELECT token FROM tokens WHERE value = ?", (f"{k:016d}",)).fetchone()
    return n / (time.perf_counter() - start)


def server_module() -> ModuleType:
    """The private PostgreSQL server of the tests."""
    spec = importlib.util.spec_from_file_location("postgres_server", Path(__file__).parent.parent / "shared" / "postgres_server.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def addresses(folder: Path) -> Iterator[dict[str, Callable[[str], str]]]:
    """By kind, what gives the address of an empty vault for a form; PostgreSQL only where it is installed."""
    found: dict[str, Callable[[str], str]] = {"sqlite": lambda form: f"sqlite://{folder}/{form}.db"}
    postgres = server_module()
    if postgres.binaries() is None:
        yield found
        return
    with postgres.PostgresServer() as server:
        yield found | {"postgresql": lambda form: server.database()}


def measure() -> dict[str, dict[str, Any]]:
    """The figures: values per second, and for new values how many times a statement for each."""
    ring, figures = KeyRing.new(), {}
    batches = [cards(k) for k in range(BATCHES)]

    def site(vault: Vault) -> RuleContext:
        return RuleContext(FieldFacts("field"), ring, str, vault=vault)

    def note(name: str, rate: float, single: float | None = None) -> None:
        against = {"ratio": round(rate / single, 1), "against": "a statement and commit a value"} if single else {}
        figures[f"tokenize:{name}"] = {"value": round(rate), "unit": "values/s", **against}

    for form, written in FORMS.items():
        mask = make_tokenize(TokenizeParams(**written), site(MemoryVault()))
        mask(batches[0], CONTEXT)
        note(f"{form}, warm cache", median_rate(lambda values, m=mask: m(values, CONTEXT), batches[:1] * 50))
    with tempfile.TemporaryDirectory() as folder, addresses(Path(folder)) as uris:
        single = one_by_one(Path(folder) / "single.db")
        for kind, address in uris.items():
            for form, written in FORMS.items():
                uri = address(form)
                params, vault, later = TokenizeParams(**written), open_vault(uri), open_vault(uri)
                cold, restarted = (make_tokenize(params, site(opened)) for opened in (vault, later))
                real, processor = median_rates(lambda values, m=cold: m(values, CONTEXT), batches)
                note(f"{form}, {kind}, new values", real, single)
                if kind == "sqlite":
                    note(f"{form}, {kind}, new values, processor time", processor)
                note(f"{form}, {kind}, after a restart", median_rate(lambda values, m=restarted: m(values, CONTEXT), batches))
                tokens = [column(cold(values, CONTEXT).values) for values in batches[:5]]
                back = unmake_tokenize(params, site(vault))
                note(f"{form}, {kind}, way back", median_rate(lambda values, m=back: m(values, CONTEXT), tokens))
                vault.close()
                later.close()
    return figures


if __name__ == "__main__":
    for name, figure in measure().items():
        ratio = f"   {figure['ratio']:.0f} × {figure['against']}" if "ratio" in figure else ""
        print(f"{name:<52}{figure['value']:>12,} {figure['unit']}{ratio}")
