"""Where key rings come from: an address (URI) whose scheme names the provider.

======================  =========================================================================  ==================
address                 what it is                                                                 extra
======================  =========================================================================  ==================
``file://``             a key ring file, ``file:///absolute/path`` or ``file://relative/path``
``env://``              an environment variable with the file's JSON, or the base64 of it
``vault://``            a field of a secret in HashiCorp Vault, KV version 2                       ``vault``
``vault+transit://``    a ring wrapped by a key of Vault's Transit engine                          ``vault``
``aws-kms://``          a ring wrapped by a key in AWS KMS                                         ``aws``
``gcp-kms://``          a ring wrapped by a key in Google Cloud KMS                                ``gcp``
``azure-kv://``         a ring wrapped by an RSA key in Azure Key Vault; have it signed            ``azure``
======================  =========================================================================  ==================

A wrapped ring is stored anywhere the first three reach, and its address names the place: ``aws-kms://KEY?ring=file:///keys.json``.
``signer=PUBLIC`` in an address with options accepts only what the holder of that Ed25519 key has signed (`flink_masking.keys.signature`).
Every wait for a service is bounded by `WAIT_S` seconds, and each call is tried twice at most: by the SDKs of AWS and Azure themselves, for
those of Vault and Google by `attempt`. Who cannot begin without a ring waits longer: `flink_masking.keys.watch.open_patiently`.
"""

import importlib
import logging
from types import ModuleType
from typing import Protocol

from flink_masking.errors import KeyRingError
from flink_masking.keys.providers.address import Address
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.wrapped import WrappedRing, Wrapper

_log = logging.getLogger(__name__)

STORES = {"file": "stored", "env": "stored", "vault": "vault"}
"""Schemes of places where a ring's JSON is kept, and the module with ``store(address) -> Store``."""

WRAPPERS = {"vault+transit": "vault_transit", "aws-kms": "aws_kms", "gcp-kms": "gcp_kms", "azure-kv": "azure_kv"}
"""Schemes of keys that wrap roots, and the module with ``wrapper(address) -> Wrapper`` and its ``OPTIONS``."""


class Store(Protocol):
    """A place where a ring's JSON is kept. Any failure is a KeyRingError without content."""

    where: str
    """What to call the place in errors."""

    def read(self) -> bytes:
        """The JSON."""

    def fingerprint(self) -> str:
        """A text that changes when the JSON may have changed, and that tells nothing of it."""


def open_ring(uri: str) -> KeyRing:
    """The key ring at an address.

    Args:
        uri: as in this module's table.

    Raises:
        KeyRingError: an unknown scheme, an SDK that is not installed, nothing there, no access, a service that does not answer in
            time, a file that others can read or own, contents that are no key ring or the wrong kind (wrapped or not), or a signature
            that the address asks for and that is missing or wrong. The message names the place, never content.
        KeyRingUnavailableError: the service may answer later.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from flink_masking import open_keys
        >>> from flink_masking.keys.files import create
        >>> path = Path(tempfile.mkdtemp()) / "keys.json"
        >>> _ = create(path)
        >>> open_keys(f"file://{path}").primary
        1
    """
    address = Address.parse(uri)
    if address.scheme in STORES:
        store = _store(address)
        return KeyRing.parse(_trusted(store, address), store.where)
    wrapper = wrapper_at(address)  # first, so that a missing SDK is reported before anything is read
    store = _store_of(address)
    data = _trusted(store, address)
    if has_public_wrapping_key(address) and "signer" not in address.options:
        _log.warning("%s: the key ring is wrapped with a public key, so whoever can write it can replace its roots. Hint: sign it "
                     "('flink-masking keys sign') and add signer= to the address", store.where)
    return WrappedRing.parse(data, store.where).unwrap(wrapper)


def has_public_wrapping_key(address: Address) -> bool:
    """Whether anyone, not only who has access to the service, can wrap with the key at an address."""
    return address.scheme in WRAPPERS and bool(getattr(_module(WRAPPERS[address.scheme]), "PUBLIC", False))


def _trusted(store: Store, address: Address) -> bytes:
    """A ring's JSON, its signature checked where the address asks for one."""
    data = store.read()
    if "signer" in address.options:
        from flink_masking.keys.signature import check_signature

        check_signature(data, store.where, address.options["signer"])
    return data


def fingerprint(uri: str) -> str:
    """A text that changes when the ring at an address changes; for a wrapped ring that of the place where it is stored.

    Cheap: no key is opened, and nothing of the ring is revealed.

    Args:
        uri: as for `open_ring`.

    Raises:
        KeyRingError: as for `open_ring`, but for what is wrong with the contents.
    """
    address = Address.parse(uri)
    return (_store(address) if address.scheme in STORES else _store_of(address)).fingerprint()


def place(uri: str) -> str:
    """What to call the ring at an address in messages: where its JSON is kept.

    Raises:
        KeyRingError: as for `fingerprint`.
    """
    address = Address.parse(uri)
    return (_store(address) if address.scheme in STORES else _store_of(address)).where


def wrapper_at(address: Address) -> Wrapper:
    """The wrapping key at an address.

    Raises:
        KeyRingError: its scheme wraps nothing, the SDK is not installed, or the address is not complete.
    """
    if address.scheme not in WRAPPERS:
        names = ", ".join(f"{name}://" for name in WRAPPERS)
        raise KeyRingError(f"{address.scheme}:// cannot wrap keys. Hint: known are {names}")
    module = _module(WRAPPERS[address.scheme])
    address.check_options({"ring", "signer", *module.OPTIONS})
    wrapper: Wrapper = module.wrapper(address)
    return wrapper


def _store(address: Address) -> Store:
    store: Store = _module(STORES[address.scheme]).store(address)
    return store


def _store_of(address: Address) -> Store:
    """The place that the address of a wrapping key names."""
    ring = address.options.get("ring")
    if ring is None:
        raise KeyRingError(f"{address.where}: the address names no ring. Hint: add ring=file:///path/to/keys.json")
    inner = Address.parse(ring)
    if inner.scheme not in STORES:
        raise KeyRingError(f"{address.where}: a ring is not stored at {inner.scheme}://. Hint: ring= takes file://, env:// or vault://")
    return _store(inner)


def _module(name: str) -> ModuleType:
    """A provider's module, imported when it is needed."""
    return importlib.import_module(f"{__name__}.{name}")


open_keys = open_ring  # the name in the public API
