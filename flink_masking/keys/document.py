"""The file format of key rings: JSON with roots in clear, with wrapped roots, or with the keys of some domains."""

import base64
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeGuard

from flink_masking.errors import KeyRingError
from flink_masking.keys.checks import check_value, is_check_value
from flink_masking.keys.lifecycle import LAST_GENERATION, LAST_NUMBER, STATES, Edition, Subkeys, Version

FORMAT = "flink-masking key ring 1"
ROOT_BYTES = 32
EXPORTED_BYTES = 64
"""Length of an exported key: as long as the longest that a technique derives (AES-256-SIV takes 64 bytes). HKDF's output for fewer bytes
is the front of its output for more, so one length serves all."""
LARGEST = 1 << 20
"""Bytes of a ring at most: more is something else."""


class Document(NamedTuple):
    """The validated content of a ring's JSON.

    Attributes:
        versions: by number; exactly one is primary.
        domains: of an exported ring, else None.
        wrapped_by: address of the key that the roots are wrapped with, else None.
        edition: generation and what it replaces.
        signature: over the rest (see `flink_masking.keys.signature`), or None; not checked here.
    """

    versions: Mapping[int, Version]
    domains: Collection[str] | None = None
    wrapped_by: str | None = None
    edition: Edition = Edition()
    signature: bytes | None = None


def encode(document: Document) -> bytes:
    """The JSON of a ring, versions ascending."""
    head: dict[str, Any] = {"format": FORMAT}
    if document.wrapped_by is not None:
        head["wrapped_by"] = document.wrapped_by
    if document.domains is not None:
        head["domains"] = list(document.domains)
    head.update((name, value) for name, value in document.edition._asdict().items() if value)
    if document.signature is not None:
        head["signature"] = base64.b64encode(document.signature).decode()
    versions = []
    for number, version in document.versions.items():
        entry: dict[str, Any] = {"version": number, "state": version.state, "created": version.created}
        if version.destroyed is not None:
            entry["destroyed"] = version.destroyed
        if version.check is not None:
            entry["check"] = version.check
        if isinstance(version.material, bytes):
            entry["root" if document.wrapped_by is None else "wrapped"] = base64.b64encode(version.material).decode()
        elif version.material is not None:
            keys = sorted(version.material.items())
            entry["keys"] = [{"purpose": p, "domain": d, "key": base64.b64encode(key).decode()} for (p, d), key in keys]
        versions.append(entry)
    return json.dumps({**head, "versions": versions}, indent=2).encode() + b"\n"


def decode(data: bytes, where: str) -> Document:
    """Read the JSON of a ring.

    Args:
        data: JSON, UTF-8.
        where: what to call the source in errors.

    Raises:
        KeyRingError: whatever is wrong with it; the message never holds content.
    """
    body = _json(data, where) if len(data) <= LARGEST else None
    if not isinstance(body, dict) or body.get("format") != FORMAT or not isinstance(body.get("versions"), list):
        raise KeyRingError(f"{where}: not a key ring. Hint: make one with 'flink-masking keys new FILE'")
    wrapped_by, domains = body.get("wrapped_by"), body.get("domains")
    if not (wrapped_by is None or (isinstance(wrapped_by, str) and wrapped_by.isprintable() and "://" in wrapped_by)):
        raise KeyRingError(f"{where}: 'wrapped_by' is no address. Hint: restore the file from its backup")
    if domains is not None and (wrapped_by is not None or not _are_names(domains)):
        raise KeyRingError(f"{where}: 'domains' is no list of names. Hint: have it exported again")
    edition = Edition(body.get("generation", 0), body.get("replaces", 0))
    if not all(type(number) is int and 0 <= number <= LAST_GENERATION for number in edition):
        raise KeyRingError(f"{where}: 'generation' or 'replaces' is no usable number. Hint: restore the file from its backup")
    signature = _decoded(body.get("signature"))
    if (signature is None) != (body.get("signature") is None):
        raise KeyRingError(f"{where}: 'signature' is no base64. Hint: have the ring signed again ('flink-masking keys sign')")
    versions: dict[int, Version] = {}
    for position, entry in enumerate(body["versions"], 1):
        at = f"{where}: version entry {position}"
        if not isinstance(entry, dict):
            raise KeyRingError(f"{at} is not an object. Hint: restore the file from its backup")
        number = entry.get("version")
        if type(number) is not int or not 1 <= number <= LAST_NUMBER:
            raise KeyRingError(f"{at} has no usable number. Hint: 'version' is a whole number from 1 to 2**32 - 1")
        if number in versions:
            raise KeyRingError(f"{where}: version {number} comes twice. Hint: keep one entry for each version")
        versions[number] = _version(entry, number, "wrapped" if wrapped_by else "root" if domains is None else "keys", at)
    primaries = sum(version.state == "primary" for version in versions.values())
    if primaries != 1:
        raise KeyRingError(f"{where}: {primaries} versions are primary. Hint: exactly one version has the state 'primary'")
    return Document(dict(sorted(versions.items())), domains, wrapped_by, edition, signature)


def _json(data: bytes, where: str) -> Any:
    """The body, or None where it is no JSON.

    Raises:
        KeyRingError: an object has two members of one name: readers differ in which of them they take.
    """
    repeated: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            repeated.append("")
        return found

    try:
        body = json.loads(data, object_pairs_hook=members)
    except (ValueError, RecursionError):
        body = None  # the caller raises, so that the text with the keys is no context of the error
    if repeated:
        raise KeyRingError(f"{where}: an object has two members of the same name. Hint: restore the file from its backup")
    return body


def _version(entry: dict[str, Any], number: int, holds: str, at: str) -> Version:
    """One version, checked; `holds` names the member with its secret."""
    state, created, destroyed = entry.get("state"), entry.get("created"), entry.get("destroyed")
    if state not in STATES:
        raise KeyRingError(f"{at} has no usable state. Hint: 'state' is {', '.join(STATES[:-1])} or {STATES[-1]}")
    if not _is_time(created):
        raise KeyRingError(f"{at} has no usable time. Hint: 'created' is an ISO 8601 time")
    if (state == "destroyed") != _is_time(destroyed):
        raise KeyRingError(f"{at} has no usable time of destruction. Hint: 'destroyed' is an ISO 8601 time, of destroyed versions only")
    check = entry.get("check")
    if not (check is None or is_check_value(check)):
        raise KeyRingError(f"{at} has no usable check value. Hint: restore the file from its backup")
    secrets = {"root", "wrapped", "keys"} & entry.keys()
    if state == "destroyed" or (state == "disabled" and holds == "keys"):
        if secrets:
            raise KeyRingError(f"{at} is {state} and still holds a secret. Hint: remove it from the file, and from copies of the file")
        return Version(state, created, None, destroyed if state == "destroyed" else None, check)
    if secrets - {holds}:
        raise KeyRingError(f"{at} holds another kind of secret than its ring. Hint: restore the file from its backup")
    material = _keys(entry.get("keys")) if holds == "keys" else _decoded(entry.get(holds))
    if not material or (holds == "root" and len(material) != ROOT_BYTES):
        form = {"root": f"'root' is the base64 of {ROOT_BYTES} bytes", "wrapped": "'wrapped' is base64", "keys": "have it exported again"}
        raise KeyRingError(f"{at} has no usable {holds}. Hint: {form[holds]}")
    if holds == "root":
        assert isinstance(material, bytes)
        known, check = check, check_value(material, number)
        if known not in (None, check):
            raise KeyRingError(f"{at}: its check value does not fit its root. Hint: restore the file from its backup")
    return Version(state, created, material, check=check)


def _keys(entries: Any) -> Subkeys | None:
    """Exported keys by purpose and domain, or None where any of them is unusable."""
    keys: dict[tuple[str, str], bytes] = {}
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            return None
        named, key = (entry.get("purpose"), entry.get("domain")), _decoded(entry.get("key"))
        if not _are_names(list(named)) or key is None or len(key) != EXPORTED_BYTES or named in keys:
            return None
        keys[str(named[0]), str(named[1])] = key
    return keys


def _are_names(names: Any) -> TypeGuard[list[str]]:
    return isinstance(names, list) and bool(names) and all(isinstance(name, str) and name for name in names)


def _is_time(text: Any) -> TypeGuard[str]:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _decoded(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        return None
