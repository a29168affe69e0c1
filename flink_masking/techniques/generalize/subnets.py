"""IP addresses cut to their networks."""

import ipaddress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.kinds import TEXT
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty, refusals

_V4 = r"\A(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}\z"


def subnets(bits: int, bits_v6: int) -> Mask:
    """IPv4 addresses as ``203.0.113.0/24``, IPv6 addresses as ``2001:db8::/48``; other texts are refused.

    IPv4 goes by columns; of IPv6, and of what is neither, each different text is looked at once.
    """
    suffix, kept = f"/{bits}", 0xFFFFFFFF << (32 - bits) & 0xFFFFFFFF

    def cut(values: Values, context: Context) -> Masked:
        text, empty = values.text, is_empty(values.text)
        v4 = pc.fill_null(pc.match_substring_regex(text, _V4), False).to_numpy(zero_copy_only=False)
        found = np.zeros(len(text), np.bool_)
        index = np.full(len(text), -1, np.int64)
        pieces = []
        places = np.flatnonzero(v4)
        if len(places):
            octets = pc.split_pattern(text.filter(pa.array(v4)), ".").flatten().cast(pa.int64()).to_numpy().reshape(-1, 4)
            fits = (octets <= 255).all(1)
            network = octets[fits] @ np.array([1 << 24, 1 << 16, 1 << 8, 1]) & kept
            parts = [pa.array((network >> shift) & 255).cast(pa.string()) for shift in (24, 16, 8, 0)]
            index[places[fits]] = np.arange(len(network))
            found[places[fits]] = True
            pieces.append(pc.binary_join_element_wise(pc.binary_join_element_wise(*parts, "."), suffix, ""))
        rest = ~v4 & ~empty & text.is_valid().to_numpy(zero_copy_only=False)
        if rest.any():
            encoded = text.filter(pa.array(rest)).dictionary_encode()
            networks = pa.array([_network(one, bits_v6) for one in encoded.dictionary.to_pylist()], pa.string())
            made = networks.take(encoded.indices)
            index[rest] = np.arange(len(made)) + sum(map(len, pieces))
            found[rest] = made.is_valid().to_numpy(zero_copy_only=False)
            pieces.append(made)
        whole = pa.concat_arrays(pieces).take(pa.array(index, mask=index < 0)) if pieces else pa.nulls(len(text), pa.string())
        return Masked(pc.if_else(pa.array(empty), "", whole), refusals(values, TEXT, ~found))

    return cut


def _network(text: str, bits: int) -> str | None:
    """The network of an IPv6 address; None for any other text."""
    try:
        return None if "%" in text else str(ipaddress.IPv6Network((text, bits), strict=False))
    except ValueError:
        return None
