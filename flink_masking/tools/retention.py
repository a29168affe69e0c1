"""Destroys the tokens that a policy keeps no longer, for streams whose job does not run."""

from flink_masking.policy.load import LoadedPolicy
from flink_masking.vault.base import Vault
from flink_masking.vault.retention import DAY_MS


def destroy_tokens(vault: Vault, loaded: LoadedPolicy, now: int) -> int:
    """Note in the vault how long the policy keeps tokens, and destroy those that have expired.

    The vault is gone through as a whole: tokens of other streams expire as their own policies say.

    Args:
        vault: open.
        loaded: the policy.
        now: ms since 1970.

    Returns:
        How many tokens were destroyed.

    Raises:
        VaultError: the vault failed for longer than its patience.
    """
    today, total = now // DAY_MS, 0
    for domain in loaded.token_domains:
        vault.retention.retain(domain, loaded.policy.stream, loaded.policy.token_days, today)
    while True:
        swept = vault.retention.sweep(today)
        total += swept.tokens
        if swept.done:
            return total
