"""Events, leaf hashes and logs for the tests of sealing."""

import json

import pyarrow as pa

from flink_masking import KeyRing, Protector
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.sealer import Sealer
from flink_masking.audit.stores import Directory
from flink_masking.policy.source import PolicySource

POLICY = PolicySource("policy.yaml", """
version: 4
stream: orders
audit: {sink: audit-events, digests: true}
fields: {email: {class: direct, type: email}, n: {class: plain, type: integer}}
segments:
  support: {view: masked, rules: {email: {technique: partial, keep_first: 1}, n: keep}}
""")
SIGNER = NoteSigner("audit.example.com/orders", bytes(range(32)))
RING = KeyRing.new()


def batches(count, size=3, first=0):
    """What `count` batches of a writer release, and their lines: events and leaf hashes."""
    protector, released, lines = Protector(POLICY, RING), [], []
    for batch in range(count):
        records = [json.dumps({"email": f"u{k}@example.com", "n": first + batch * size + k}).encode() for k in range(size)]
        result = protector.protect(pa.array(records, pa.binary()))
        released += [bytes(view.as_py()) for view in result.views["support"]]
        lines += result.audit
    return released, lines


def sealed(folder, *rounds, signer=SIGNER):
    """A log with these rounds of lines; its directory."""
    with Sealer(Directory(folder), signer, folder / ".sealer") as sealer:
        for lines in rounds:
            sealer.seal(lines, {})
    return folder
