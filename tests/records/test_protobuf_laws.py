"""Protobuf records against upb: random schemas, records and rules, and records that are broken at random."""

import base64
import random

import protobuf_oracle as oracle
import pyarrow as pa
from google.protobuf.message import DecodeError
from guard_pages import guarded_column, guarded_output

from flink_masking import arrow
from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.spans import FATAL, Flag
from flink_masking.records.trie import Paths
from flink_masking.registry.source import Schema


def described(file):
    """A schema as text: its descriptor."""
    return Schema(base64.b64encode(file.SerializeToString()).decode(), "PROTOBUF")


def readable(kind, record):
    """Whether upb reads a record; it does not read everything that it has written."""
    try:
        kind.FromString(record)
    except DecodeError:
        return False
    return True


def drawn(seed, whole="whole"):
    """Codec, paths, rules, class of messages and random numbers of a random schema; None where it has no rule.

    What is kept as a whole becomes `whole`.
    """
    rng = random.Random(seed)
    file = oracle.schema(rng)
    kind = oracle.classes(file)
    plan = {rule.path: whole if rule.what == "whole" else rule.what for rule in oracle.rules(rng, kind.DESCRIPTOR)}
    if not plan:
        return None
    paths = Paths([path for path, what in plan.items() if what != "known"], known=[path for path, what in plan.items() if what == "known"],
                  opaque=[path for path, what in plan.items() if "whole" in what])
    codec = codec_for("protobuf", Layout(framing="none", schema=described(file), message="r.M0"))
    return codec, paths, plan, kind, rng


def expected(kind, record, plan):
    """What upb makes of a record and its rules."""
    message = kind.FromString(record)
    message.DiscardUnknownFields()
    oracle.apply_to(message, plan)
    return message


def test_views_are_what_upb_makes_of_the_same_rules(long_form):
    """Keep, drop and change of every type, nested, repeated, packed, in maps, oneofs and groups; messages in pieces that are merged."""
    fields = 0
    for seed in range(10_200 if long_form else 250):  # one in sixty schemas has no field with a rule
        if (found := drawn(seed)) is None:
            continue
        codec, paths, plan, kind, rng = found
        records = [oracle.fill(rng, kind()).SerializeToString() for _ in range(12)]
        records = [record for record in records if len(record) < 400_000 and readable(kind, record)]
        if not chooses(kind.DESCRIPTOR):  # of a oneof whose last member is dropped, the one before comes out, by its own rule
            records += [a + b for a, b in zip(records[::2], records[1::2], strict=False)]
        table = codec.scan(pa.array(records, pa.binary()), paths)
        assert not (table.flags & int(FATAL)).any(), (seed, [table.fault(row) for row in range(table.n)])
        views = table.splice(oracle.edits(table, plan)).to_pylist()
        fields += table.used
        for record, view in zip(records, views, strict=True):
            made = kind.FromString(view)
            assert oracle.known_only(made)
            assert made == expected(kind, record, plan), seed
    assert fields > 1_000


def test_broken_records_give_nothing_away(long_form):
    """A record that was changed at random is refused, or its view is what upb makes of it, without any undeclared field.

    No message is kept as a whole here, which would keep all that is in it.
    """
    refused = accepted = stricter = 0
    for seed in range(1_000 if long_form else 60):
        if (found := drawn(seed, "drop whole")) is None:
            continue
        codec, paths, plan, kind, rng = found
        whole = [record for record in (oracle.fill(rng, kind()).SerializeToString()[:3_000] for _ in range(10)) if record]
        records = [broken(rng, rng.choice(whole)) for _ in range(120)] if whole else []
        table = codec.scan(pa.array(records, pa.binary()), paths)
        views = table.splice(oracle.edits(table, plan)).to_pylist()
        for row, (record, view) in enumerate(zip(records, views, strict=True)):
            read = readable(kind, record)
            if table.flags[row] & int(FATAL):
                refused, stricter = refused + 1, stricter + read
                assert view is None and 0 <= table.fault(row).position <= len(record)
                continue
            accepted += 1
            made = kind.FromString(view)
            assert oracle.known_only(made)
            if read and not chooses(kind.DESCRIPTOR):
                want = expected(kind, record, plan)
                oracle.forget_defaults(made, want)
                assert made.SerializeToString(deterministic=True) == want.SerializeToString(deterministic=True), (seed, record)
            elif not read:
                assert opaque(table, row), (seed, record)
    assert refused > 500 and accepted > 500 and stricter < 0.1 * (refused + accepted)


def test_no_byte_too_far_is_touched(monkeypatch):
    """With records, whole and broken, and views up against pages that may not be touched, nothing crashes and what is read is whole."""
    monkeypatch.setattr(arrow, "output", guarded_output)
    for seed in range(60):
        if (found := drawn(seed)) is None:
            continue
        codec, paths, plan, kind, rng = found
        for record in [one for one in (oracle.fill(rng, kind()).SerializeToString()[:3_000] for _ in range(6)) if one]:
            for rows in [record], [broken(rng, record) for _ in range(3)]:
                table = codec.scan(guarded_column(rows), paths)
                for path in plan:
                    if path in paths.ids:
                        table.values(path).text.validate(full=True)
                table.splice(oracle.edits(table, plan)).validate(full=True)


def chooses(message):
    """Whether a message of the file has a oneof of several members."""
    messages = message.file.message_types_by_name.values()
    return any(len(oneof.fields) > 1 for one in messages for oneof in one.oneofs)


def opaque(table, row):
    """Whether a record has undeclared fields, whose contents nobody looks into: they are dropped unread."""
    return bool(table.flags[row] & int(Flag.UNKNOWN))


def broken(rng, record):
    """A record with some bytes changed, added or removed."""
    data = bytearray(record)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                data[at:at] = rng.randbytes(rng.randint(1, 4))
            case 2:
                del data[at : at + rng.randint(1, 6)]
            case 3:
                data[at : at + 1] = bytes([(data[at] if at < len(data) else 0) ^ 1 << rng.randrange(8)])
            case 4:
                del data[at:]
        if not data:
            data = bytearray(b"\x00")
    return bytes(data)
