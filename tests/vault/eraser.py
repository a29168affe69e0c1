"""What a process of its own does: erase many subjects of a policy, after it was told to."""

import sys

from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load_policy
from flink_masking.tools.erase import Eraser
from flink_masking.vault.providers import open_vault


def main() -> None:
    """Read policy, ring, vault and how many; erase CUST0, CUST1, …"""
    policy, keys, uri, count = sys.argv[1:]
    vault = open_vault(uri, patience=20)
    eraser = Eraser(load_policy(policy), open_ring(keys), vault)
    print("ready", flush=True)
    sys.stdin.readline()
    eraser.erase([f"CUST{number}" for number in range(int(count))], 1)
    print("done", flush=True)


if __name__ == "__main__":
    main()
