"""Leaf hashes of granted views: salted under the key ring.

All of a granted record but the opened fields stands in the masked view, so whoever reads that view and a plain hash of the record tests
guesses of an opened field, millions a second. So the leaf is the hash of a salt and the record, and the salt is HMAC-SHA-256 of the
batch and the record: without the key ring it is 32 unknown bytes. It is kept nowhere: holders of the ring make it again of the record.
"""

import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.crypto.prf import Prf
from flink_masking.keys.ring import KeyRing

SALT_BYTES = 32
SALTED = "salted"
"""What an event tells of a view's leaf hashes (its member ``leaves``); views without it have plain ones."""


def salting(ring: KeyRing, view: str, version: int | None = None) -> Prf:
    """What makes the salts of a granted view.

    Args:
        ring: of the job.
        view: the granted segment.
        version: of the key; the primary one when None.

    Raises:
        KeyRingError: the ring lacks the key.
    """
    return Prf(ring.derive("granted-leaf", view, version))


def salted(prf: Prf, records: pa.BinaryArray, chain: str, number: int) -> pa.BinaryArray:
    """What is hashed to a leaf: the salt, `SALT_BYTES` long, with the record behind it.

    Args:
        prf: from `salting`.
        records: n records as they leave; nulls are none and are left out.
        chain: name of the audit chain that the batch's event is in.
        number: of that event.

    Returns:
        One for each record. Equal records of a batch give equal ones, those of two batches do not.
    """
    records, end = records.drop_null(), pa.scalar(b"", pa.binary())
    place = pa.scalar(f"{chain}\0{number}\0".encode(), pa.binary())
    digests = prf.digests(pc.binary_join_element_wise(place, records, end))
    salts = pa.Array.from_buffers(pa.binary(SALT_BYTES), len(records), [None, pa.py_buffer(digests)]).cast(pa.binary())
    return pc.binary_join_element_wise(salts, records, end)
