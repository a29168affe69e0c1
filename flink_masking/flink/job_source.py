"""The configuration that Flink functions carry to the workers: policy text, addresses of keys and vault, never a key."""

import logging
import time
from dataclasses import dataclass

from flink_masking.control.ledger import Ledger
from flink_masking.control.memory import Store
from flink_masking.control.options import ControlOptions
from flink_masking.control.watcher import ControlWatcher
from flink_masking.engine.plan import Plan, compile_plan
from flink_masking.engine.reload import ReloadingSealer
from flink_masking.errors import ControlUnavailableError, KeyRingError, RegistryError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.watch import RingWatcher, open_patiently
from flink_masking.leaks.options import LeakOptions
from flink_masking.patience import SECONDS
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.segments import GrantedView
from flink_masking.policy.source import PolicySource
from flink_masking.registry.client import open_registry
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.registered import open_outputs
from flink_masking.registry.source import SchemaSource
from flink_masking.vault.address import check_address
from flink_masking.vault.base import Vault
from flink_masking.vault.providers import open_vault

KEY_REFRESH = 30_000
"""Default interval between checks of the key ring, ms."""
VAULT_PATIENCE = round(1000 * SECONDS)
"""Default time for which a vault is waited for, ms."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobSource:
    """Picklable, free of secrets: it becomes part of the job graph.

    Attributes:
        policy: the policy and the files that it names, as text.
        keys: address of the key ring, resolved in ``open()`` on the worker.
        vault: address of the token vault, opened there, too, where its references are resolved; None where no rule makes tokens.
        key_refresh: minimal interval between checks of the key ring, ms.
        vault_patience: milliseconds for which a vault that is away or busy is waited for, at each call.
        require_tls: a vault or registry on another machine is spoken to over TLS or not at all.
        registry: the schema registry; opened on the worker, too, where its references are resolved.
        control: where control documents lie and whom the job trusts; None: the policy stays as it is.
        leaks: of which values fingerprints are kept; None: of none.
    """

    policy: PolicySource
    keys: str
    vault: str | None = None
    key_refresh: int = KEY_REFRESH
    vault_patience: int = VAULT_PATIENCE
    require_tls: bool = False
    registry: RegistryOptions | None = None
    control: ControlOptions | None = None
    leaks: LeakOptions | None = None

    def __post_init__(self) -> None:
        """Refuse a vault's address with a password in it, and a registry that lacks TLS; raises VaultError, RegistryError."""
        if self.vault is not None:
            check_address(self.vault)
        if self.require_tls and self.registry is not None and self.registry.unencrypted:
            raise RegistryError(f"registry {self.registry.shown}: TLS is required. Hint: https://")

    def loaded(self) -> LoadedPolicy:
        """The policy, checked.

        Raises:
            PolicyFaults: the policy has faults.
        """
        return load(self.policy)

    def open_vault(self) -> Vault | None:
        """Open the token vault, where one is named.

        Raises:
            VaultError: it cannot be opened.
        """
        if self.vault is None:
            return None
        return open_vault(self.vault, patience=self.vault_patience / 1000, require_tls=self.require_tls)

    def open_schemas(self) -> SchemaSource | None:
        """Connect to the schema registry, where one is named; nothing is asked yet.

        Raises:
            RegistryError: its login or certificates cannot be read.
        """
        return None if self.registry is None else open_registry(self.registry)

    def open_outputs(self) -> OutputSchemas | None:
        """Connect to it for the schemas of views, likewise.

        Raises:
            RegistryError: its login or certificates cannot be read.
        """
        return None if self.registry is None else open_outputs(self.registry)

    def open_control(self, loaded: LoadedPolicy, keys: RingWatcher) -> ControlWatcher | None:
        """Look at the control documents for the first time and go on looking, where a source is named.

        Args:
            loaded: the policy.
            keys: seal what is kept across restarts.

        Raises:
            ControlError: trust file or state are none, or a login cannot be read. A source that is away is no error.
        """
        if self.control is None:
            return None
        policy, store, ledger = loaded.policy, None, None
        if self.control.state is not None:
            seals = ReloadingSealer(keys.ring, keys.look, "control", policy.stream)
            store = Store(self.control.state, policy.stream, seals)
            if any(isinstance(segment, GrantedView) for segment in policy.segments.values()):
                ledger = Ledger(self.control.state, policy.stream, ReloadingSealer(keys.ring, keys.look, "control", policy.stream))
                try:
                    ledger.begin(time.time_ns() // 1_000_000)
                except ControlUnavailableError as error:
                    _log.warning("%s; no grant is carried out until it can", error)
        watcher = ControlWatcher(self.control, policy.stream, policy.version, loaded.source.digest, store, ledger=ledger)
        watcher.start()
        return watcher

    def watcher(self) -> RingWatcher:
        """Open the key ring and check it for changes; a failed check is logged and the current ring stays in use.

        Raises:
            KeyRingError: the key ring cannot be opened.
        """
        return RingWatcher(self.keys, self.key_refresh / 1000, report=_report)

    def plan(self, loaded: LoadedPolicy | None = None) -> Plan:
        """Open the key ring and the vault and compile the policy, to see before a job starts that all of it is there.

        Args:
            loaded: the policy, where it has been loaded already.

        Raises:
            PolicyFaults: the policy has faults.
            KeyRingError: the key ring cannot be opened.
            VaultError: the policy makes tokens and names no vault, or the vault cannot be opened.
            RegistryError: the registry cannot be used.
        """
        vault = self.open_vault()
        try:
            return compile_plan(loaded or self.loaded(), open_patiently(self.keys)[1], vault, schemas=self.open_schemas(),
                                outputs=self.open_outputs())
        finally:
            if vault is not None:
                vault.close()

    def stateful_plan(self, ring: KeyRing) -> Plan:
        """The plan without its masked segments, as keyed operators need it; no vault is opened.

        Raises:
            PolicyFaults: the policy has faults.
            KeyRingError: the ring lacks a key.
        """
        return compile_plan(self.loaded(), ring, masked_segments=False)


def _report(error: KeyRingError) -> None:
    _log.warning("the key ring could not be checked; the current one stays in use: %s", error)
