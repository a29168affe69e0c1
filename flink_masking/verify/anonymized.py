"""The audit of an anonymized view: its promises from the output, its loss and risks, and what they rest on."""

import numpy as np

from flink_masking.documents.document import cut
from flink_masking.policy.model import Policy
from flink_masking.verify.assignment import assigned, enough_people
from flink_masking.verify.release import Classes, Release, corner
from flink_masking.verify.report import Report, Verdict, unreadable
from flink_masking.verify.sensitive import Sensitive
from flink_masking.verify.zero_delay import judge_values


def verify_anonymized(release: Release, policy: Policy, sensitive: Sensitive) -> Report:
    """Measure a view.

    Args:
        release: the view beside its raw records.
        policy: that it was made under.
        sensitive: for the promises about sensitive fields.
    """
    report = Report(release.name, "anonymized")
    lines, raw = release.table, release.raw.table
    report.counts = {
        "raw": raw.size + raw.unreadable, "refused": release.refused, "inputs": release.inputs, "released": lines.size,
        "suppressed": max(0, release.inputs - lines.size)}
    _members(report, release)
    if release.segment.mode == "zero_delay":
        judge_values(report, release)
        return report
    found = release.classes()
    report.counts["classes"] = len(found.size)
    _records(report, release, found)
    _people(report, release, found)
    sensitive.judge(report, release, found)
    _loss(report, release, found)
    _risk(report, found)
    _homogeneity(report, release, found, policy)
    _delay(report, release, found)
    return report


def _members(report: Report, release: Release) -> None:
    unexpected = release.table.unexpected
    names = ", ".join(f"{cut(name)} ({times:,})" for name, times in sorted(unexpected.items(), key=lambda item: -item[1])[:3])
    report.add("members", "quasi-identifiers and released fields", f"besides: {names}" if names else "nothing else", not unexpected)
    if release.table.unreadable:
        report.add("lines", "JSON objects, each member once", unreadable(release.table), False)


def _records(report: Report, release: Release, found: Classes) -> None:
    report.add("covered", "each label covers its record", f"{found.uncovered:,} lines that no raw record fits", found.uncovered == 0)
    marks, record_marks = release.marks()
    size = 1 + max(int(marks.max(initial=0)), int(record_marks.max(initial=0)))
    there = np.bincount(record_marks[release.candidates], minlength=size)
    beyond = np.bincount(marks, minlength=size) - there
    surplus = max(found.surplus, int(beyond[(beyond > 0) & (there > 0)].sum()))
    report.add("once", "each record at most once", f"{surplus:,} lines more than raw records that fit", surplus == 0)


def _people(report: Report, release: Release, found: Classes) -> None:
    k = release.segment.k
    if not len(found.size):
        report.add("k", f"{k} people in every class", "nothing is released", True)
        return
    least, most = int(found.least.min()), int(found.most.min())
    below, unsure = int((found.most < k).sum()), int(((found.least < k) & (found.most >= k)).sum())
    text = f"{least}" if least == most else f"{least} to {most}"
    verdict: Verdict = "broken" if below else "held"
    note = f"{below:,} of {len(found.size):,} classes below" if below else ""
    if not below and unsure:
        verdict, note = _decided(release, found, unsure)
    report.add("k", f"{k} people in every class", f"{text} in the smallest", verdict, note)


def _decided(release: Release, found: Classes, unsure: int) -> tuple[Verdict, str]:
    """Whether all classes together can have k people, where lines of the same values leave open how many a class has."""
    k, of = release.segment.k, f"{unsure:,} of {len(found.size):,} classes"
    if assigned(release, found) is not None:
        return "held", f"{of} could have fewer by themselves; raw records are assigned to all lines such that every class has {k}"
    members = [np.unique(release.points.people[release.points.within(corner(boxes))]) if boxes is not None else np.zeros(0, np.int64)
               for boxes in found.boxes]
    records = np.bincount(release.raw.people[release.candidates], minlength=int(release.raw.people.max(initial=0)) + 1)
    if not enough_people(members, k, records):
        return "broken", f"no assignment of raw records to lines gives every class {k} people: the same records would be released twice"
    return "open", f"{of}: lines of the same values could come from fewer people, and no assignment was found that gives every class {k}"


def _loss(report: Report, release: Release, found: Classes) -> None:
    released, inputs = release.table.size, max(1, release.inputs)
    suppressed = max(0, release.inputs - released)
    per_class = np.array([[box.loss for box in boxes] if boxes else [1.0] * len(release.attributes) for boxes in found.boxes])
    per_class = per_class.reshape(-1, len(release.attributes))
    shares = (found.size @ per_class + suppressed) / max(inputs, released)
    report.figures["loss"] = {"all": float(shares.mean()), **dict(zip(release.attributes, shares.tolist(), strict=True))}
    report.figures["suppression"] = {"share": suppressed / inputs}


def _risk(report: Report, found: Classes) -> None:
    """Of somebody known to be in the view, of somebody who may be, and of all at once (El Emam 2013)."""
    if not len(found.size):
        return
    crowd = np.maximum(1, found.least)
    world = np.maximum(crowd, found.population)
    report.figures["risk"] = {
        "prosecutor, highest": float(1 / crowd.min()), "prosecutor, average": float(len(crowd) / crowd.sum()),
        "journalist, highest": float(1 / world.min()), "marketer": float((crowd / world).sum() / crowd.sum()),
    }
    if (found.least < found.most).any():
        report.notes.append("risk is reckoned with the fewest people that a class may hold, so it is an upper bound")


def _homogeneity(report: Report, release: Release, found: Classes, policy: Policy) -> None:
    """The share of lines whose class shows one value only, so that belonging to the class tells it."""
    fields = [path for path in dict.fromkeys([*release.segment.sensitive, *release.segment.release])
              if policy.fields[path].role == "sensitive"]
    for path in fields:
        values = release.values(path, found.source)
        if values is None or not len(values):
            continue
        pairs = np.unique(np.stack((found.of, values.astype(np.int64))), axis=1)[0]
        alone = np.bincount(pairs, minlength=len(found.size)) == 1
        report.figures.setdefault("homogeneity", {})[path] = float(found.size[alone].sum() / found.size.sum())


def _delay(report: Report, release: Release, found: Classes) -> None:
    """How far the stream had come when a record left: the output has no times, its order tells."""
    if not len(found.source) or (found.source < 0).any():
        report.notes.append("delay cannot be told: lines of the same values may come from several records")
        return
    place = np.searchsorted(release.candidates, found.source)
    behind = np.maximum.accumulate(place) - place
    report.figures["delay in records"] = {
        "median": float(np.median(behind)), "p99": float(np.percentile(behind, 99)), "most": float(behind.max())}
    report.notes.append("delay: records that had come, at least, when a record left, from the order of the lines")
