"""What others read does not depend on grants."""

import hashlib
import itertools
import json
import random

import orjson
import pyarrow as pa
import pytest
from granted_jobs import policy_of, record

from flink_masking.engine.record import Parts, Transport
from flink_masking.keys.ring import KeyRing

RULES = ["id: {technique: pseudonym, domain: d}", "region: keep", "amount: {technique: perturb, relative: 0.05}",
         "ssn: {technique: encrypt, domain: x}", "email: {technique: shuffle}"]
RECORD = "    record: {key: {technique: pseudonym, domain: d}, headers: {trace: redact}}\n"


class Entropy:
    """The same bytes in the same order, each time it is made."""

    def __init__(self):
        """At the beginning."""
        self.count = itertools.count()

    def __call__(self, n):
        """The next n bytes."""
        return hashlib.shake_256(str(next(self.count)).encode()).digest(n)


def policy(random_):
    """A policy with random rules."""
    rules = ", ".join(rule for rule in RULES if random_.random() < 0.8 or rule.startswith("id"))
    more = RECORD * random_.randrange(2) + "    order: shuffled\n" * random_.randrange(2)
    written = next(line + "\n" for line in policy_of().source.text.split("\n") if line.startswith("    rules:"))
    digests = "segments:", "audit: {sink: a, digests: true}\nsegments:"
    return policy_of(change=(written, f"    rules: {{{rules}}}\n{more}"), digests=digests)


def records(random_):
    """Records, some of which are broken, belong to quarantine, or lack fields."""
    made = []
    for _ in range(random_.randrange(1, 60)):
        one = orjson.loads(record(random_.randrange(8), amount=random_.randrange(9), region=random_.choice(["eu", "us", "xx"])))
        for name in ("ssn", "email", "region", "amount"):
            if random_.random() < 0.2:
                del one[name]
        broken = random_.choice(["{", json.dumps({**one, "other": 1})])
        made.append((broken if random_.random() < 0.1 else json.dumps(one)).encode())
    return made


@pytest.mark.parametrize("seed", range(60))
def test_the_shared_view_is_byte_for_byte_the_same(job, seed):
    """With and without grants, views, parts of Kafka, quarantine, roots and counts of the masked segment are the same."""
    random_, ring = random.Random(seed), KeyRing.new()
    loaded = policy(random_)
    batches = [records(random_) for _ in range(3)]
    entropies = [Entropy(), Entropy()]
    made = [job(loaded, ring, transport=Transport(record=True), entropy=entropy) for entropy in entropies]
    for number in range(random_.randrange(1, 4)):
        fields = random_.choice([{"email": None}, {"ssn": None}, {"email": "redact", "ssn": {"technique": "partial", "keep_last": 2}}])
        subjects = [f"p{person}" for person in range(8) if random_.random() < 0.5] or ["p0"]
        made[0].grant(subjects, fields=fields, where={"region": "eu"} if number == 1 else {}, max_records=random_.randrange(1, 50))
    opened = 0
    for batch in batches:
        keys = [b"" if one == b"{" else orjson.loads(one)["id"].encode() for one in batch]
        parts = Parts(key=pa.array(keys, pa.binary()), headers={"trace": pa.array([b"t"] * len(batch), pa.binary())})
        for entropy in entropies:
            entropy.count = itertools.count()  # what grants draw comes last in a batch, and is not missed by the next one in production
        with_, without = (one(batch, parts) for one in made)
        assert with_.views["support"].equals(without.views["support"])
        assert with_.parts.get("support") == without.parts.get("support") or all(
            one.equals(other) for one, other in zip(with_.parts["support"].columns, without.parts["support"].columns, strict=True))
        assert with_.report.masked["support"].body() == without.report.masked["support"].body()
        assert with_.report.quarantined == without.report.quarantined
        assert [row for row, _ in with_.quarantine] == [row for row, _ in without.quarantine]
        assert without.views["debug"].null_count == len(batch)
        opened += len(batch) - with_.views["debug"].null_count
        assert with_.report.masked["debug"].released == len(batch) - with_.views["debug"].null_count
        if "debug" in with_.parts:
            shown = with_.views["debug"].to_pylist()
            assert [None if one is None else orjson.loads(one)["id"].encode() for one in shown] == with_.parts["debug"].key.to_pylist()
            assert [one is None for one in shown] == [one is None for one in with_.grants["debug"].to_pylist()]
    if seed == 0:
        assert opened
