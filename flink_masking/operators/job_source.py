"""What a Flink function carries to the workers: the policy's text and the address of the keys, never a key."""

from dataclasses import dataclass

from flink_masking.engine.plan import Plan, compile_plan
from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


@dataclass(frozen=True)
class JobSource:
    """Picklable, free of secrets.

    Attributes:
        policy: the policy and the files that it names, as text.
        keys: address of the key ring, resolved in ``open()`` on the worker.
    """

    policy: PolicySource
    keys: str

    def plan(self) -> Plan:
        """Open the key ring and compile the policy.

        Raises:
            PolicyFaults: the policy has faults.
            KeyRingError: the key ring cannot be opened.
        """
        return compile_plan(load(self.policy), open_ring(self.keys))
