"""Kafka Connect's schemas beside JSON: made of values, and read as JsonConverter.toConnectData does."""

import base64
import binascii

WHOLE = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}


def schema_of(*values, optional=True, field=None, name=None):
    """A schema that holds all of these values; every member is optional, as columns of tables are."""
    beside = {"optional": optional, **({} if field is None else {"field": field}), **({} if name is None else {"name": name})}
    known = [value for value in values if value is not None]
    if not known:
        return {"type": "string", **beside}
    if isinstance(known[0], dict):
        members = list(dict.fromkeys(key for value in known for key in value))
        fields = [schema_of(*(value.get(key) for value in known), field=key) for key in members]
        return {"type": "struct", "fields": fields, **beside}
    if isinstance(known[0], list):
        return {"type": "array", "items": schema_of(*(one for value in known for one in value)), **beside}
    kinds = {bool: "boolean", int: "int64", float: "double", str: "string"}
    return {"type": kinds[type(known[0])], **beside}


def to_connect(schema, value):
    """The value as Connect has it; ValueError where JsonConverter throws, or reads another value than stands there."""
    kind = schema["type"]
    if value is None:
        if schema.get("default") is not None:
            return schema["default"]
        if schema.get("optional"):
            return None
        raise ValueError(f"null in a required {kind}")
    match kind:
        case "struct" if isinstance(value, dict):
            return {one["field"]: to_connect(one, value.get(one["field"])) for one in schema["fields"]}
        case "array" if isinstance(value, list):
            return [to_connect(schema["items"], one) for one in value]
        case "map" if schema["keys"]["type"] == "string" and isinstance(value, dict):
            return {key: to_connect(schema["values"], one) for key, one in value.items()}
        case "map" if schema["keys"]["type"] != "string" and isinstance(value, list):
            return [(to_connect(schema["keys"], key), to_connect(schema["values"], one)) for key, one in value]
        case "string" if isinstance(value, str):
            return value
        case "bytes" if isinstance(value, str):
            try:
                return base64.b64decode(value, validate=True)
            except binascii.Error as error:
                raise ValueError("no base64") from error
        case "boolean" if isinstance(value, bool):
            return value
        case "float" | "double" if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case "int8" | "int16" | "int32" | "int64" if isinstance(value, int) and not isinstance(value, bool):
            if -(1 << WHOLE[kind] - 1) <= value < 1 << WHOLE[kind] - 1:
                return value
    raise ValueError(f"{kind} cannot be {type(value).__name__}")
