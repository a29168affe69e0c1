"""AES-CMAC (NIST SP 800-38B, RFC 4493) of every value of a column: one call of the block cipher for each block, not for each value.

Raw: the caller manages the key. For a key ring derive one with `flink_masking.keys.ring.KeyRing.derive`.
"""

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from flink_masking.arrow import parts
from flink_masking.crypto import cmac_kernels as kernel
from flink_masking.crypto.secret import Secret

BLOCK_BYTES = 16
FEW = 16
"""Rows left below which each is finished by itself: a step over the column costs as much as some hundred blocks of one value."""


def doubled(block: bytes) -> bytes:
    """16 bytes times x in GF(2¹²⁸), the ``dbl`` of RFC 5297 and the shift of SP 800-38B."""
    number = int.from_bytes(block, "big") << 1
    return (number ^ 0x87 if number >> 128 else number).to_bytes(17, "big")[1:]


class BlockCipher(Secret):
    """AES as a permutation of single blocks, over a column of them; refuses to be pickled, copied or printed.

    For building modes only: by itself it shows which blocks are equal. Safe to use from several threads.
    """

    __slots__ = ("_cipher", "_key")

    def __init__(self, key: bytes) -> None:
        """Prepare a key of 16, 24 or 32 bytes; another length raises ValueError."""
        self._key = algorithms.AES(key)
        self._cipher = Cipher(self._key, modes.ECB())

    def encrypt(self, blocks: np.ndarray) -> np.ndarray:
        """Encrypt every block.

        Args:
            blocks: uint8, 16 m.

        Returns:
            uint8, 16 m, followed by memory that is not used.
        """
        out = np.empty(len(blocks) + BLOCK_BYTES, np.uint8)  # `update_into` asks for one block more than it writes
        self._cipher.encryptor().update_into(blocks.data, out.data)
        return out[: len(blocks)]

    def chained(self, chain: bytes, blocks: bytes) -> bytes:
        """The last block of CBC mode over whole `blocks` that follow upon `chain`."""
        return Cipher(self._key, modes.CBC(chain)).encryptor().update(blocks)[-BLOCK_BYTES:]


class Cmac(Secret):
    """AES-CMAC under one key, a column at a time; refuses to be pickled, copied or printed.

    Deterministic and row-local: equal values give equal tags. Without the key a tag tells nothing more. **With** the key a tag of 128
    bits gives a value of up to 16 bytes back, by one decryption: where the holder of the key must be kept from that, HMAC is the choice.
    One key is for 2⁴⁸ values at most (SP 800-38B, appendix B). Safe to use from several threads.
    """

    __slots__ = ("_cipher", "_subkeys")

    def __init__(self, key: bytes) -> None:
        """Prepare a key.

        Args:
            key: 16, 24 or 32 bytes.

        Raises:
            ValueError: another length.
        """
        self._cipher = BlockCipher(key)
        whole = doubled(self._cipher.encrypt(np.zeros(BLOCK_BYTES, np.uint8)).tobytes())
        self._subkeys = np.frombuffer(whole + doubled(whole), np.uint8)

    def tags(self, array: pa.StringArray | pa.BinaryArray) -> np.ndarray:
        """The CMAC of every value's bytes.

        Args:
            array: n values of type string or binary, of any length; slices allowed.

        Returns:
            uint8, shape (n, 16); a null gives the tag of no bytes.
        """
        data, offsets, valid = parts(array)
        starts, ends = offsets[:-1], offsets[1:]
        return self.of_spans(data, starts, np.where(valid != 0, ends, starts).astype(np.int32) if len(valid) else ends)

    def tag(self, message: bytes) -> bytes:
        """The CMAC of one message."""
        return self.of_spans(np.frombuffer(message, np.uint8), np.zeros(1, np.int32), np.array([len(message)], np.int32)).tobytes()

    def of_spans(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The CMAC of stretches of bytes.

        Args:
            data: uint8.
            starts: int32, n.
            ends: int32, n, ``starts[i] <= ends[i] <= len(data)``.

        Returns:
            uint8, shape (n, 16).
        """
        count, step = len(starts), 0
        tags, active = np.empty((count, BLOCK_BYTES), np.uint8), np.arange(count, dtype=np.int32)
        chain = blocks = np.empty(BLOCK_BYTES * count, np.uint8)
        while count > (FEW if step else 0):
            kernel.absorb(data, starts, ends, active, count, step, self._subkeys, chain, blocks)
            chain = self._cipher.encrypt(blocks[: BLOCK_BYTES * count])
            count = kernel.settle(starts, ends, active, count, step, chain, tags.reshape(-1))
            step += 1
        for row, before in zip(active[:count].tolist(), chain[: BLOCK_BYTES * count].reshape(-1, BLOCK_BYTES), strict=True):
            rest = data[starts[row] + BLOCK_BYTES * step : ends[row]].tobytes()
            tags[row] = np.frombuffer(self._cipher.chained(before.tobytes(), self._ended(rest)), np.uint8)
        return tags

    def _ended(self, rest: bytes) -> bytes:
        """The last blocks of a message, at least one byte of them, with the last one padded and masked."""
        last = (len(rest) - 1) // BLOCK_BYTES * BLOCK_BYTES
        end, subkey = rest[last:], self._subkeys[:BLOCK_BYTES]
        if len(end) < BLOCK_BYTES:
            end, subkey = (end + b"\x80").ljust(BLOCK_BYTES, b"\0"), self._subkeys[BLOCK_BYTES:]
        return rest[:last] + (np.frombuffer(end, np.uint8) ^ subkey).tobytes()
