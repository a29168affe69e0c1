"""Values one by one or as a column: format-preserving encryption, keyed digests, deterministic and randomised encryption."""

import base64
import hmac
import os
from collections.abc import Callable
from typing import Any

from serve import Contestant, main

Given = dict[str, Any]


def _each(packages: tuple[str, ...], given: Given, encrypt: Callable[[str], str], back: Callable[[str], str] | None = None) -> Contestant:
    """A function of one value, called in a list comprehension."""
    values = given["values"]

    def answers() -> list[str]:
        made = [encrypt(value) for value in values[:200]]
        return [back(value) for value in made] if back else made

    return Contestant(packages, len(values), lambda: encrypt(values[0]), answers, lambda: [encrypt(value) for value in values])


def _ours(technique: str, open_again: bool = False) -> Callable[[Given], Contestant]:
    """A technique, Arrow array to Arrow array, with its checks."""

    def make(given: Given) -> Contestant:
        import numpy as np
        import pyarrow as pa

        from flink_masking.keys.ring import KeyRing
        from flink_masking.records.kinds import Kind
        from flink_masking.techniques.base import FieldFacts, RuleContext
        from flink_masking.techniques.masks import Context, Values
        from flink_masking.techniques.registry import TECHNIQUES

        found = TECHNIQUES[technique]
        params = found.params.model_validate(given["params"])
        rule = RuleContext(FieldFacts("field"), KeyRing.parse(given["ring"].encode(), "the benchmark"), lambda file: "")
        mask, context = found.make(params, rule), Context(os.urandom(32))

        def column(values: list[str]) -> Values:
            return Values(pa.array(values), np.full(len(values), Kind.STRING, np.int32), np.arange(len(values), dtype=np.int32))

        whole = column(given["values"])

        def answers() -> list[str]:
            made = mask(column(given["values"][:200]), context).values
            return (found.unmake(params, rule)(column(made.to_pylist()), context).values if open_again else made).to_pylist()

        return Contestant(("flink-masking", "numba", "pyarrow"), len(given["values"]), lambda: mask(column(given["values"][:1]), context),
                          answers, lambda: mask(whole, context))

    return make


def fastfpe(given: Given) -> Contestant:
    """FF1 in Rust."""
    from fastfpe import ff1

    key, tweak = given["key"], given["tweak"]
    return _each(("fastfpe",), given, lambda value: ff1.encrypt(key, tweak, "0123456789", value))


def ff3(given: Given) -> Contestant:
    """FF3-1 in Python; the cipher is made once. Another cipher than FF1: its answers are opened again."""
    from ff3 import FF3Cipher

    cipher = FF3Cipher(given["key"], given["tweak"][:14])
    return _each(("ff3", "pycryptodome"), given, cipher.encrypt, cipher.decrypt)


def hmac_stdlib(given: Given) -> Contestant:
    """HMAC by the standard library's one-shot call."""
    key = bytes.fromhex(given["key"])
    return _each((), given, lambda value: hmac.digest(key, value.encode(), "sha256").hex())


def hmac_pyca(given: Given) -> Contestant:
    """HMAC by pyca/cryptography; the key is set up once and copied."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.hmac import HMAC

    start = HMAC(bytes.fromhex(given["key"]), SHA256())

    def digest(value: str) -> str:
        one = start.copy()
        one.update(value.encode())
        return one.finalize().hex()

    return _each(("cryptography",), given, digest)


def siv(given: Given) -> Contestant:
    """AES-SIV, and the same text form."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    cipher, bound, head = AESSIV(bytes.fromhex(given["key"])), [bytes.fromhex(given["bound"])], bytes.fromhex(given["head"])
    mark = given["mark"]  # in front of a text, so that numbers stay numbers

    def encrypt(value: str) -> str:
        return "fm1." + base64.urlsafe_b64encode(head + cipher.encrypt((mark + value).encode(), bound)).decode().rstrip("=")

    return _each(("cryptography",), given, encrypt)


def gcm(given: Given) -> Contestant:
    """AES-256-GCM with a random nonce of 96 bits, as text; one key is good for fewer values than with the 192 bits of XAES."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, bound = AESGCM(bytes.fromhex(given["key"])[:32]), b"field and domain"

    def encrypt(value: str) -> str:
        nonce = os.urandom(12)
        return base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, value.encode(), bound)).decode()

    def decrypt(text: str) -> str:
        raw = base64.urlsafe_b64decode(text)
        return cipher.decrypt(raw[:12], raw[12:], bound).decode()

    return _each(("cryptography",), given, encrypt, decrypt)


if __name__ == "__main__":
    main({"ours:fpe": _ours("fpe"), "ours:pseudonym": _ours("pseudonym"), "ours:siv": _ours("encrypt_deterministic"),
          "ours:gcm": _ours("encrypt", open_again=True), "fastfpe": fastfpe, "ff3": ff3, "hmac": hmac_stdlib, "hmac:pyca": hmac_pyca,
          "siv": siv, "gcm": gcm})
