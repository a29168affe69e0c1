"""k-anonymity of a census table, and its measurement. Answers: the sizes of the groups, and what was lost.

The loss of a record is the mean over its quasi-identifiers of (values that its label covers - 1) / (values of the domain - 1), 1 where it
is suppressed (the normalised certainty penalty). A set of categories covers its members; in `loss in the hierarchies` it covers all leaves
of the lowest node above them, as a reader who knows the hierarchy takes it, and as this library always releases it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serve import Contestant, main

Given = dict[str, Any]
SENSITIVE = "salary"


def ours(whole: bool) -> Callable[[Given], Contestant]:
    """This library: Mondrian over the whole table at once, or the streaming algorithm that holds 1,000 records."""

    def make(given: Given) -> Contestant:
        import numpy as np
        import pyarrow as pa

        from flink_masking.anonymity.dimensions import HierarchyDimension, NumberDimension
        from flink_masking.anonymity.mondrian import WindowMondrian
        from flink_masking.anonymity.slide_grow import USUAL_PREFERENCE, Groups, Records, SlideGrow
        from flink_masking.anonymity.space import Space
        from flink_masking.hierarchy import Hierarchy
        from flink_masking.records.kinds import Kind

        n, k = given["records"], given["k"]
        space = Space({name: NumberDimension(*given["domains"][name]) if name in given["domains"] else
                       HierarchyDimension(Hierarchy([tuple(path) for path in given["hierarchies"][name]], name))
                       for name in given["quasi"]})
        columns = [pa.array([str(value) for value in given["columns"][name]]) for name in given["quasi"]]

        def groups(rows: int) -> Groups:
            codes = []
            for name, dimension, column in zip(given["quasi"], space.dimensions, columns, strict=True):
                kind = Kind.NUMBER if name in given["domains"] else Kind.STRING
                codes.append(dimension.encode(column[:rows], np.full(rows, kind, np.int32))[0])
            seq = np.arange(rows)
            buffer = WindowMondrian(space, k, None, max(rows, k)) if whole else SlideGrow(space, k, None, 1_000, None, USUAL_PREFERENCE)
            records = Records(codes, seq.astype(np.uint64), np.zeros((0, rows), np.uint64), seq, np.zeros(rows, np.int64))
            return [buffer.push(records, 0), buffer.flush()]

        def answers() -> dict[str, Any]:
            sizes: list[int] = []
            loss = suppressed = 0.0
            for found in groups(n):
                ends = [0, *found.end.tolist()]
                for first, last, low, high in zip(ends, ends[1:], found.low.tolist(), found.high.tolist(), strict=False):
                    sizes.append(last - first)
                    loss += (last - first) * space.loss(low, high)
                suppressed += len(found.suppressed)
            whole_loss = (loss + suppressed) / n
            return {"sizes": sizes, "suppressed": int(suppressed), "loss": whole_loss, "loss in the hierarchies": whole_loss}

        return Contestant(("flink-masking", "numba"), n, lambda: groups(2 * k), answers, lambda: groups(n))

    return make


def anonypy(given: Given) -> Contestant:
    """Mondrian over the whole table."""
    import pandas as pd
    from anonypy import Preserver

    quasi = given["quasi"]
    frame = pd.DataFrame({name: given["columns"][name] for name in [*quasi, SENSITIVE]})
    for name in quasi:
        if name not in given["domains"]:
            frame[name] = frame[name].astype("category")

    def rows(part: Any) -> list[dict[str, Any]]:
        return list(Preserver(part, quasi, SENSITIVE).anonymize_k_anonymity(given["k"]))

    def answers() -> dict[str, Any]:
        sizes: Counter[tuple[str, ...]] = Counter()
        for row in rows(frame):
            sizes[tuple(row[name][0] for name in quasi)] += row["count"]
        total = sum(sizes.values())
        losses = [sum(count * sum(_covered(given, name, label, tree) for name, label in zip(quasi, labels, strict=True)) / len(quasi)
                      for labels, count in sizes.items()) / total for tree in (False, True)]
        return {"sizes": list(sizes.values()), "suppressed": 0, "loss": losses[0], "loss in the hierarchies": losses[1]}

    return Contestant(("anonypy", "pandas", "numpy"), len(frame), lambda: rows(frame.head(2 * given["k"])), answers, lambda: rows(frame))


def _covered(given: Given, name: str, label: str, tree: bool) -> float:
    """The loss of a label of anonypy: ``17-25``, ``31`` or ``HS-grad,Masters``."""
    if name in given["domains"]:
        low, high = given["domains"][name]
        first, _, last = label.partition("-")
        return (int(last or first) - int(first)) / (high - low)
    paths, members = given["hierarchies"][name], set(label.split(","))
    covered = len(members)
    if tree and covered > 1:
        level = next(at for at in range(len(paths[0])) if len({path[at] for path in paths if path[0] in members}) == 1)
        node = next(path[level] for path in paths if path[0] in members)
        covered = sum(path[level] == node for path in paths)
    return (covered - 1) / (len(paths) - 1)


def verify(given: Given) -> Contestant:
    """This library's verifier: from the files, with coverage, truth of labels, loss and risks besides k and l."""
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.verify.anonymized import verify_anonymized
    from flink_masking.verify.release import Raw, Release, read_trees
    from flink_masking.verify.sensitive import Sensitive

    source = PolicySource.read(Path(given["policy"]))
    policy = load(source).policy
    segment = policy.segments["view"]

    def report() -> Any:
        trees = read_trees(policy, source.file)
        raw = Raw.read(Path(given["raw"]), policy, [*segment.quasi_identifiers, *segment.sensitive])
        return verify_anonymized(Release("view", segment, policy, raw, Path(given["released"]), trees), policy, Sensitive(policy, trees))

    def answers() -> dict[str, float]:
        told = {promise["name"]: promise["found"] for promise in report().as_dict()["promises"]}
        return {name: float(re.findall(r"[0-9.]+", next(found for promise, found in told.items() if promise.startswith(name)))[0])
                for name in ("k", "l")}

    return Contestant(("flink-masking",), given["records"], report, answers, report)


def pycanon(given: Given) -> Contestant:
    """pycanon: k and distinct l of the released table."""
    import pandas as pd
    from pycanon import anonymity

    lines = [json.loads(line) for path in sorted(Path(given["released"]).glob("*")) for line in path.read_text().splitlines()]
    frame = pd.DataFrame({name: [json.dumps(line[name]) for line in lines] for name in [*given["quasi"], SENSITIVE]})

    def measure() -> dict[str, float]:
        return {"k": float(anonymity.k_anonymity(frame, given["quasi"])),
                "l": float(anonymity.l_diversity(frame, given["quasi"], [SENSITIVE]))}

    return Contestant(("pycanon", "pandas", "numpy"), given["records"], measure, measure, measure)


if __name__ == "__main__":
    main({"ours:whole": ours(True), "ours:stream": ours(False), "anonypy": anonypy, "ours:verify": verify, "pycanon": pycanon})
