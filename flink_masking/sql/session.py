"""Parameters of a SQL session: keys, vault, policy, actor, purpose and grants, all as Flink job parameters."""

import functools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flink_masking.control.options import ControlOptions
from flink_masking.deployment.model import JOB_PARAMETERS, Deployment
from flink_masking.engine.record import Transport
from flink_masking.errors import InputError, KeyRingError, RegistryError, VaultError
from flink_masking.keys.lifecycle import Version, now
from flink_masking.keys.ring import KeyHandle, KeyRing
from flink_masking.keys.watch import RingWatcher
from flink_masking.policy.durations import positive_milliseconds
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.registry.client import open_registry
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.registered import open_outputs
from flink_masking.registry.source import SchemaSource
from flink_masking.vault.address import check_address
from flink_masking.vault.base import Vault
from flink_masking.vault.providers import open_vault

KEYS, VAULT, POLICY = "flink-masking.keys", "flink-masking.vault", "flink-masking.policy"
TRANSPORT = "flink-masking.transport"
"""What a script of ``flink-masking sql job`` knows of the topics at both ends."""
ACTOR, PURPOSE = "flink-masking.actor", "flink-masking.purpose"
GRANTS = "flink-masking.grants"
"""A deployment that the workers can read, with a section control: where grants for inverse functions are."""
KEY_REFRESH, VAULT_PATIENCE = "flink-masking.key_refresh", "flink-masking.vault_patience"
WAITS = {KEY_REFRESH: "30s", VAULT_PATIENCE: "30s"}
"""Durations that a session may set: how often the key ring is looked at, how long a vault that is away is waited for."""
REGISTRY = "flink-masking.registry"
"""The schema registry: its address, or its options as `RegistryOptions.encode` writes them."""
CONTROL = "flink-masking.control"
"""Refused: whoever sets it would otherwise believe that policies, grants and revocations from outside have effect."""
REQUIRE_TLS = "flink-masking.require_tls"
"""``true``: a vault on another machine is spoken to over TLS or not at all."""
PARAMETERS = (KEYS, VAULT, POLICY, TRANSPORT, ACTOR, PURPOSE, GRANTS, REGISTRY, REQUIRE_TLS, *WAITS)
GLOBAL = JOB_PARAMETERS
_log = logging.getLogger(__name__)


def setting(**parameters: str) -> str:
    """The value of Flink's setting ``pipeline.global-job-parameters``: a map in YAML.

    Args:
        parameters: by their last word, such as ``keys="file:///keys.json"``.
    """
    return "{" + ", ".join(f"flink-masking.{name}: '" + text.replace("'", "''") + "'" for name, text in parameters.items()) + "}"


def _hint(parameter: str, example: str) -> str:
    return f"Hint: SET '{GLOBAL}' = '{{{parameter}: ''{example}''}}'"


def _report(error: KeyRingError) -> None:
    _log.warning("the key ring could not be checked; the current one stays in use: %s", error)


class NoKeys(KeyRing):
    """The ring of a session without keys: techniques without keys work, others raise an error."""

    def __init__(self) -> None:
        """A ring without any secret."""
        super().__init__({1: Version("primary", now(), None)})

    def derive(self, purpose: str, domain: str, version: int | None = None, length: int = 32) -> KeyHandle:
        """Refuse.

        Raises:
            KeyRingError: always.
        """
        raise KeyRingError(f"the session names no key ring. {_hint(KEYS, 'file:///secrets/keys.json')}")


class Reason(NamedTuple):
    """Actor and purpose of a request for clear values."""

    actor: str
    purpose: str


class Session:
    """The job parameters of a session at work in one function; keys and vault are opened when they are first asked for."""

    def __init__(self, parameter: Callable[[str, str], str]) -> None:
        """Read the parameters.

        Args:
            parameter: name and default → the job parameter.

        Raises:
            InputError: a duration that is none, or control documents, which functions do not take.
        """
        self._given = {name: parameter(name, "") or "" for name in PARAMETERS}
        self._seconds = {name: self._duration(name) for name in WAITS}
        if parameter(CONTROL, ""):
            raise InputError(f"{CONTROL}: SQL follows no policies from outside: each function would do so by itself, and one record could "
                             f"be made by two of them. Hint: jobs/fan_out.py and protect_table do; grants for inverse functions: {GRANTS}")
        self._watcher: RingWatcher | None = None
        self._without = NoKeys()

    def _duration(self, name: str) -> float:
        try:
            return positive_milliseconds(self._given[name] or WAITS[name]) / 1000
        except ValueError as error:
            raise InputError(f"{name} {error}") from None

    def ring(self) -> KeyRing:
        """The key ring to use now: the same object until it was changed at its address.

        Raises:
            KeyRingError: it cannot be opened.
        """
        if not self._given[KEYS]:
            return self._without
        if self._watcher is None:
            self._watcher = RingWatcher(self._given[KEYS], self._seconds[KEY_REFRESH], report=_report)
        return self._watcher.ring()

    def vault(self) -> Vault:
        """The token vault, shared by all functions of the process.

        Raises:
            VaultError: none is named, its address holds a password, or it cannot be opened.
        """
        if not self._given[VAULT]:
            raise VaultError(f"the session names no token vault. {_hint(VAULT, 'sqlite:///data/vault.db')}")
        require_tls = self._given[REQUIRE_TLS].strip().lower() == "true"
        return _opened(check_address(self._given[VAULT]), self._seconds[VAULT_PATIENCE], require_tls, os.getpid())

    def vault_if_named(self) -> Vault | None:
        """The same; None where the session names none."""
        return self.vault() if self._given[VAULT] else None

    def schemas(self) -> SchemaSource | None:
        """The schema registry, one for all functions of the process; None where the session names none.

        Raises:
            RegistryError: it cannot be used, or lacks TLS where that is required.
        """
        options = self._registry()
        return None if options is None else _connected(options, os.getpid())

    def outputs(self) -> OutputSchemas | None:
        """The same registry for the schemas of views.

        Raises:
            RegistryError: as `schemas`.
        """
        options = self._registry()
        return None if options is None else _registering(options, os.getpid())

    def _registry(self) -> RegistryOptions | None:
        if not self._given[REGISTRY]:
            return None
        options = RegistryOptions.decode(self._given[REGISTRY])
        if options.unencrypted and self._given[REQUIRE_TLS].strip().lower() == "true":
            raise RegistryError(f"registry {options.shown}: TLS is required. Hint: https://")
        return options

    def policy(self) -> LoadedPolicy:
        """The policy.

        Raises:
            InputError: the session names no policy, or it cannot be read.
            KeyRingError: the session names no key ring.
            PolicyFaults: the policy has faults.
        """
        if not self._given[POLICY]:
            raise InputError(f"the session names no policy. {_hint(POLICY, '/etc/flink-masking/policy.yaml')}")
        if not self._given[KEYS]:
            raise KeyRingError(f"the session names no key ring. {_hint(KEYS, 'file:///secrets/keys.json')}")
        return load(PolicySource.read(self._given[POLICY].removeprefix("file://")))

    def policy_if_named(self) -> LoadedPolicy | None:
        """The same; None where the session names none.

        Raises:
            InputError: the policy cannot be read, or the session names grants and no policy that could ask for one.
            KeyRingError, PolicyFaults: as `policy`.
        """
        if not self._given[POLICY] and self._given[GRANTS]:
            raise InputError(f"the session names grants and no policy. {_hint(POLICY, '/etc/flink-masking/policy.yaml')}")
        return self.policy() if self._given[POLICY] else None

    def control(self) -> ControlOptions | None:
        """Where grants are; None where the session does not say.

        Raises:
            InputError: the deployment cannot be read.
        """
        if not self._given[GRANTS]:
            return None
        return Deployment.read(Path(self._given[GRANTS].removeprefix("file://"))).control_options

    def transport(self) -> Transport:
        """The topics at both ends as stated in the job's script.

        Raises:
            InputError: it cannot be read.
        """
        return Transport.decode(self._given[TRANSPORT]) if self._given[TRANSPORT] else Transport()

    def reason(self, name: str) -> Reason:
        """Who asks and what for.

        Args:
            name: of the function that gives clear values back.

        Raises:
            InputError: one of the two is missing.
        """
        for parameter, example in ((ACTOR, "jane.doe"), (PURPOSE, "ticket 4711")):
            if not self._given[parameter].strip():
                raise InputError(f"{name} gives clear values back, and the session does not say {parameter}. {_hint(parameter, example)}")
        return Reason(self._given[ACTOR], self._given[PURPOSE])


@functools.lru_cache(maxsize=16)
def _opened(uri: str, patience: float, require_tls: bool, process: int) -> Vault:
    """One open vault a process and address; a process that was forked off opens its own."""
    return open_vault(uri, patience=patience, require_tls=require_tls)


@functools.lru_cache(maxsize=16)
def _connected(options: RegistryOptions, process: int) -> SchemaSource:
    """One registry a process and address, likewise."""
    return open_registry(options)


@functools.lru_cache(maxsize=16)
def _registering(options: RegistryOptions, process: int) -> OutputSchemas:
    """One of them for schemas of views, likewise."""
    return open_outputs(options)
