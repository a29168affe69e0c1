"""Random Avro schemas, values and encodings; values carry the branch of their union, ``Branch(number, value)``."""

import struct
from typing import Any, NamedTuple


class Branch(NamedTuple):
    """A value of a union."""

    number: int
    value: Any


SCALARS = ["null", "boolean", "int", "long", "float", "double", "bytes", "string", "fixed", "enum", "date", "timestamp", "decimal",
           "fixed decimal", "uuid"]


class Schemas:
    """Makes schemas; names are unique, so that paths of two branches of a union never collide."""

    def __init__(self, random, recursive=True):
        """Draw from a random.Random."""
        self.random, self.count, self.recursive = random, 0, recursive

    def name(self):
        """A name that was not used before."""
        self.count += 1
        return f"n{self.count}"

    def record(self, depth=3):
        """A record with nested types down to some depth."""
        name = self.name()
        fields = [{"name": self.name(), "type": self.type(depth)} for _ in range(self.random.randint(1, 5))]
        if self.recursive and self.random.random() < 0.15:
            shape = self.random.choice([["null", name], {"type": "array", "items": name}, {"type": "map", "values": name}])
            fields.insert(self.random.randint(0, len(fields)), {"name": self.name(), "type": shape})
        return {"type": "record", "name": name, "fields": fields}

    def type(self, depth):
        """Any type."""
        kind = self.random.choice(["scalar", "scalar", "scalar", "union", "record", "array", "map"] if depth else ["scalar", "union"])
        if kind == "scalar":
            return self.scalar(self.random.choice(SCALARS))
        if kind == "record":
            return self.record(depth - 1)
        if kind in ("array", "map"):
            return {"type": kind, "items" if kind == "array" else "values": self.type(depth - 1)}
        if depth and self.random.random() < 0.5:
            inner = self.random.choice([self.record, lambda d: {"type": "array", "items": self.type(d)},
                                        lambda d: {"type": "map", "values": self.type(d)}])(depth - 1)
            branches = ["null", inner] if inner["type"] != "record" else ["null", inner, self.record(depth - 1)]
        else:
            kinds = self.random.sample(["null", "boolean", "int", "long", "float", "double", "bytes", "string"], self.random.randint(1, 4))
            branches = [*kinds, *([self.scalar("enum")] if self.random.random() < 0.2 else [])]
        self.random.shuffle(branches)
        return branches

    def scalar(self, kind):
        """A scalar type, with a logical type or without."""
        match kind:
            case "fixed":
                return {"type": "fixed", "name": self.name(), "size": self.random.randint(1, 20)}
            case "enum":
                return {"type": "enum", "name": self.name(), "symbols": [self.name() for _ in range(self.random.randint(1, 70))]}
            case "date":
                return {"type": "int", "logicalType": "date"}
            case "timestamp":
                return {"type": "long", "logicalType": self.random.choice(["timestamp-millis", "time-micros"])}
            case "decimal":
                return {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}
            case "fixed decimal":
                return {"type": "fixed", "name": self.name(), "size": 9, "logicalType": "decimal", "precision": 18, "scale": 4}
            case "uuid":
                return {"type": "string", "logicalType": "uuid"}
        return kind


def named_types(schema, found=None):
    """The records, enums and fixed of a schema by name."""
    found = {} if found is None else found
    if isinstance(schema, list):
        for inner in schema:
            named_types(inner, found)
    elif isinstance(schema, dict):
        if "name" in schema:
            found[schema["name"]] = schema
        for inner in [*(field["type"] for field in schema.get("fields", ())), schema.get("items"), schema.get("values")]:
            if inner is not None:
                named_types(inner, found)
    return found


TEXTS = ["", "a", "John Doe", "é", "日本語の名前", "x" * 63, "y" * 64, "z" * 200, "line\nbreak", "\x00", "😀"]


def value(schema, random, types, depth=0):
    """A value of a schema."""
    if isinstance(schema, str) and schema in types:
        schema = types[schema]
    if isinstance(schema, list):
        number = random.randrange(len(schema))
        if depth > 6 and "null" in schema:
            number = schema.index("null")
        return Branch(number, value(schema[number], random, types, depth + 1))
    kind = schema if isinstance(schema, str) else schema["type"]
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if logical == "date":
        return random.randint(-100_000, 100_000)
    if logical == "decimal":
        return random.randint(-(10**17), 10**17) if kind == "fixed" else random.randint(-(10**random.randint(0, 29)), 10**29)
    if logical == "uuid":
        return f"{random.getrandbits(32):08x}-0000-4000-8000-{random.getrandbits(48):012x}"
    match kind:
        case "null":
            return None
        case "boolean":
            return random.random() < 0.5
        case "int":
            return random.choice([0, -1, 1, random.randint(-(1 << 31), (1 << 31) - 1)])
        case "long":
            return random.choice([0, -1, 63, 64, -64, -65, (1 << 63) - 1, -(1 << 63), random.randint(-(1 << 40), 1 << 40)])
        case "float":
            return struct.unpack("<f", struct.pack("<f", random.uniform(-1e6, 1e6)))[0]
        case "double":
            return random.choice([0.0, 1e300, random.uniform(-1e6, 1e6)])
        case "bytes":
            return random.randbytes(random.choice([0, 1, 10, 100]))
        case "string":
            return random.choice(TEXTS)
        case "fixed":
            return random.randbytes(schema["size"])
        case "enum":
            return random.choice(schema["symbols"])
        case "record":
            return {field["name"]: value(field["type"], random, types, depth + 1) for field in schema["fields"]}
        case "array":
            n = 0 if depth > 6 else random.choice([0, 1, 2, 3])
            return [value(schema["items"], random, types, depth + 1) for _ in range(n)]
    n = 0 if depth > 6 else random.choice([0, 1, 2, 3])
    return {key: value(schema["values"], random, types, depth + 1) for key in random.sample(TEXTS, n)}


def long_bytes(number):
    """A number in zigzag encoding."""
    number, out = (number << 1) ^ (number >> 63), bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def encode(schema, item, random, types):
    """The bytes of a value; arrays and maps in one block or several, with their sizes or without."""
    if isinstance(schema, str) and schema in types:
        schema = types[schema]
    if isinstance(schema, list):
        return long_bytes(item.number) + encode(schema[item.number], item.value, random, types)
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(schema, dict) and schema.get("logicalType") == "decimal":
        size = schema["size"] if kind == "fixed" else (item + (item < 0)).bit_length() // 8 + 1
        raw = item.to_bytes(size, "big", signed=True)
        return raw if kind == "fixed" else long_bytes(len(raw)) + raw
    match kind:
        case "null":
            return b""
        case "boolean":
            return bytes([item])
        case "int" | "long":
            return long_bytes(item)
        case "float":
            return struct.pack("<f", item)
        case "double":
            return struct.pack("<d", item)
        case "bytes":
            return long_bytes(len(item)) + item
        case "string":
            return long_bytes(len(item.encode())) + item.encode()
        case "fixed":
            return item
        case "enum":
            return long_bytes(schema["symbols"].index(item))
        case "record":
            return b"".join(encode(field["type"], item[field["name"]], random, types) for field in schema["fields"])
        case "array":
            parts = [encode(schema["items"], inner, random, types) for inner in item]
        case _:
            parts = [encode("string", key, random, types) + encode(schema["values"], inner, random, types) for key, inner in item.items()]
    out = b""
    while parts:
        n = random.randint(1, len(parts))
        body = b"".join(parts[:n])
        out += long_bytes(-n) + long_bytes(len(body)) + body if random.random() < 0.4 else long_bytes(n) + body
        parts = parts[n:]
    return out + b"\0"


def bare(schema):
    """A schema without logical types, so that a reader gives values as they are written."""
    if isinstance(schema, list):
        return [bare(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: inner for key, inner in schema.items() if key not in ("logicalType", "precision", "scale")}
    for key in ("items", "values"):
        if key in kept:
            kept[key] = bare(kept[key])
    if "fields" in kept:
        kept["fields"] = [{**field, "type": bare(field["type"])} for field in kept["fields"]]
    return kept if len(kept) > 1 else kept["type"]
