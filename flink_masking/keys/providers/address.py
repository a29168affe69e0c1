"""Parses addresses of key rings; parts that could hold a secret are never repeated in messages."""

from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode

from flink_masking.errors import KeyRingError

VERBATIM = ("file", "env")
"""Schemes whose rest is one name: a file may have ? and # in it."""
SCHEMES = (*VERBATIM, "vault", "vault+transit", "aws-kms", "gcp-kms", "azure-kv")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Address(NamedTuple):
    """The parts of ``scheme://name?option=value#field``.

    Attributes:
        scheme: names the provider.
        name: what the provider looks up, percent escapes resolved.
        options: by name.
        field: after ``#``, or an empty text.
    """

    scheme: str
    name: str
    options: Mapping[str, str]
    field: str

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Take an address apart.

        Raises:
            KeyRingError: no scheme or an unknown one, no name, a user in it, or options that are not ``name=value``, each once.
        """
        scheme, separator, rest = uri.partition("://")
        if not separator:  # not repeated: it could be the secret itself
            raise KeyRingError("a key ring's address starts with file:// or env://. Hint: for a file write file:///path/to/keys.json")
        if scheme not in SCHEMES:
            raise KeyRingError(f"no provider of key rings has this scheme. Hint: known are {', '.join(f'{name}://' for name in SCHEMES)}")
        if scheme in VERBATIM:
            name, query, field = rest, "", ""
        else:
            rest, _, field = rest.partition("#")
            name, _, query = rest.partition("?")
        if not name:
            raise KeyRingError(f"{scheme}://: the address names nothing. Hint: write file:///path/to/keys.json or env://NAME")
        if scheme not in VERBATIM and "@" in unquote(name):
            raise KeyRingError(f"{scheme}://: an address holds no user and no password. Hint: give credentials in the environment")
        try:
            pairs = parse_qsl(query, keep_blank_values=False, strict_parsing=bool(query))
        except ValueError:
            pairs = None
        if pairs is None or len(dict(pairs)) != len(pairs):
            raise KeyRingError(f"{scheme}://: the part after ? cannot be read. Hint: write option=value&option=value, each once")
        return cls(scheme, unquote(name) if scheme != "env" else name, dict(pairs), unquote(field))

    @property
    def where(self) -> str:
        """What to call the address in errors: without its options."""
        return f"{self.scheme}://{self.name}"

    def check_options(self, known: set[str]) -> None:
        """Refuse an option that would do nothing.

        Raises:
            KeyRingError: naming it.
        """
        if unknown := sorted(set(self.options) - known):
            raise KeyRingError(f"{self.where}: {unknown[0]} is not an option of this address. Hint: known are {', '.join(sorted(known))}")

    def of(self, ring: str | None) -> str:
        """The address in writing, for another ring or for none; without the public key of who signs its ring."""
        options = {name: value for name, value in self.options.items() if name not in ("ring", "signer")} | ({"ring": ring} if ring else {})
        return f"{self.scheme}://{quote(self.name, safe='/:')}{'?' if options else ''}{urlencode(options, safe=':/', quote_via=quote)}"


def is_safe_endpoint(scheme: str, host: str) -> bool:
    """Whether keys may travel there: over TLS, or within this machine.

    Args:
        scheme: http or https.
        host: name or address, with or without a port.
    """
    name, _, port = host.rpartition(":")
    return scheme == "https" or (scheme == "http" and (name if port.isdigit() else host) in LOOPBACK)
