"""The audit of a view without delay: z-anonymity (Jha et al. 2020), value by value.

Times of processing are not in the output, so people are counted over all raw records: what fewer people than z showed in all, fewer showed
within any window.
"""

import numpy as np

from flink_masking.verify.attributes import MISSING
from flink_masking.verify.lines import ABSENT
from flink_masking.verify.population import Population
from flink_masking.verify.release import Release, corner
from flink_masking.verify.report import Report
from flink_masking.verify.tree import ROOT


def judge_values(report: Report, release: Release) -> None:
    """Count for each released label and value the people who showed it, and what the labels lose."""
    z, lines, raw = release.segment.k, release.table, release.raw
    losses = {}
    for at, (path, attribute) in enumerate(release.attributes.items()):
        times = np.bincount(lines.codes[at], minlength=len(release.labels[path].values))
        points = Population([raw.positions(path, attribute)], release.candidates, raw.people)
        rare, lost = 0, 0.0
        for label, often in zip(release.labels[path].values, times.tolist(), strict=True):
            box = None if label is ABSENT else attribute.box(label)
            lost += often * (1.0 if box is None else box.loss)
            if box is None or (label != ROOT and box.low != MISSING and len(np.unique(points.people[points.within(corner([box]))])) < z):
                rare += often
        _add(report, path, z, rare)
        losses[path] = (lost + release.inputs - lines.size) / max(1, release.inputs)
    people = raw.people[release.candidates]
    for at, path in enumerate(release.segment.release, len(release.attributes)):
        records, values = release.shown(path), raw.columns[path].values
        shown = np.unique(np.stack((records[release.candidates].astype(np.int64), people)), axis=1)[0]
        few = np.bincount(shown, minlength=len(values)) < z
        few &= np.array([value is not None and value is not ABSENT for value in values] or [False])
        _add(report, path, z, int(few[lines.codes[at]].sum()))
    report.add("once", "each record at most once", f"{lines.size:,} lines of {release.inputs:,} records", lines.size <= release.inputs)
    report.figures["loss"] = {"all": sum(losses.values()) / len(losses), **losses}
    report.figures["suppression"] = {"share": max(0, release.inputs - lines.size) / max(1, release.inputs)}
    report.notes.append("people are counted over all records, because the output does not show its windows; "
                        "combinations of values are not protected in this mode")


def _add(report: Report, path: str, z: int, rare: int) -> None:
    report.add("z", f"{path}: values that {z} people showed", f"{rare:,} lines with rarer ones", rare == 0)
