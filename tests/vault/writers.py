"""What a process of its own does with a vault: tokens for the same values as all other processes."""

import json
import sys

import pyarrow as pa

from flink_masking.keys.providers import open_ring
from flink_masking.techniques.tokenize.forms import digits, uuids
from flink_masking.vault.providers import open_vault
from flink_masking.vault.tokenizer import Tokenizer


def values(batch: int, size: int) -> list[str]:
    """Values of a batch; each batch shares half of its values with the next."""
    return [f"{batch * size // 2 + k:06d}" for k in range(size)]


def main() -> None:
    """Read addresses and seed; print the tokens, of two forms, of eight batches, taken in another order by every process."""
    uri, keys, seed = sys.argv[1:]
    vault = open_vault(uri, patience=20)
    ring, forms = open_ring(keys), {"uuid": uuids, "digits any": digits("any")}
    tokenizers = {form: Tokenizer(vault, ring, "shared", form, propose) for form, propose in forms.items()}
    print("ready", flush=True)
    sys.stdin.readline()
    made: dict[str, str] = {}
    batches = list(range(8))
    for batch in batches if seed == "0" else reversed(batches):
        texts = values(batch, 300)
        if seed == "1":
            texts.reverse()
        for form, tokenizer in tokenizers.items():
            for text, token in zip(texts, tokenizer.tokens(pa.array(texts)).to_pylist(), strict=True):
                assert made.setdefault(f"{text} {form}", token) == token
    vault.close()
    print(json.dumps(made))


if __name__ == "__main__":
    main()
