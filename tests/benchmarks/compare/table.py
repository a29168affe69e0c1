"""The comparison as Markdown: a table each, with versions, machine and date."""

from collections.abc import Mapping
from typing import Any

Found = Mapping[str, Any]
_OURS = "flink-masking"


def markdown(found: Mapping[str, Found]) -> str:
    """All tables.

    Args:
        found: comparisons by name, as `run` writes them.
    """
    if not found:
        return ""
    parts = [_where(found)]
    for one in found.values():
        parts.append(f"## {one['title']}\n\n{_table(one)}")
        if one.get("quick"):
            parts.append("**Little data and few rounds (--quick): this shows that it runs and who is ahead, not by how much.**")
        if "differs" in one:
            parts.append(f"**Not the same work: {one['differs']}.**")
        elif one.get("checked"):
            parts.append(f"Checked: {one['checked']}.")
        parts += [text for text in (_losses(one), _found(one), _missing(one)) if text]
    parts.append(f"## Start\n\nUntil the first result, from the start of the process, with the imports.\n\n{_starts(found)}")
    parts.append(f"## Versions\n\n{_versions(found)}")
    return "\n\n".join(parts) + "\n"


def verdict(times: Mapping[str, Mapping[str, float] | None] | None, clock: str = "cpu") -> str:
    """Who is faster: a peer's time in multiples of ours, median and extremes."""
    spread = (times or {}).get(clock)
    if not spread:
        return "–"
    return f"{_times(spread['median'])} × ({_times(spread['min'])} to {_times(spread['max'])})"


def _where(found: Mapping[str, Found]) -> str:
    machines = {(one["machine"]["processor"], one["machine"]["cores"], one["machine"]["system"], one["machine"]["python"],
                 one["machine"]["date"]) for one in found.values()}
    lines = [f"Measured {date} on {processor}, {cores} cores, {system}, Python {python}."
             for processor, cores, system, python, date in sorted(machines)]
    counts = sorted({len(told["rounds"]) for one in found.values() for told in one["contestants"].values() if "rounds" in told})
    lines.append(f"Time is that of one unit, the median of {' or '.join(map(str, counts))} rounds in turns; ratios "
                 f"are round by round, the median with minimum "
                 f"and maximum. A ratio above 1: {_OURS} takes less time. Below 1: the peer does, and its row is **bold**.")
    return " ".join(lines)


def _table(one: Found) -> str:
    rows = ["| what | processor time | wall time | processor time beside ours | wall beside ours | settings |",
            "|---|--:|--:|--:|--:|---|"]
    for name, told in one["contestants"].items():
        if "not_run" in told:
            continue
        seconds = told.get("seconds") or {}
        cells = [_micro(seconds.get(clock)) for clock in ("cpu", "wall")]
        cells += [verdict(told.get("times_ours"), clock) if name != _OURS else "1" for clock in ("cpu", "wall")]
        shown = f"**{name}**" if _wins(told) and not name.startswith(_OURS) else name
        rows.append(f"| {shown} | {' | '.join(cells)} | {told['note']} |")
    return "\n".join(rows)


def _wins(told: Found) -> bool:
    spread = (told.get("times_ours") or {}).get("cpu")
    return bool(spread) and spread["median"] < 1


def _losses(one: Found) -> str:
    lossy = {name: told for name, told in one["contestants"].items() if "loss" in told}
    if not lossy:
        return ""
    rows = ["| what | loss | loss in the hierarchies | groups | suppressed |", "|---|--:|--:|--:|--:|"]
    rows += [f"| {name} | {told['loss']:.3f} | {told['loss in the hierarchies']:.3f} | {told['sizes']:,} | {told['suppressed']:,} |"
             for name, told in lossy.items()]
    return ("Information loss (normalised certainty penalty, 0 to 1); a set of categories covers its members, or in the hierarchies all "
            "leaves of the lowest node above them:\n\n" + "\n".join(rows))


def _found(one: Found) -> str:
    scored = {name: told["found"] for name, told in one["contestants"].items() if "found" in told}
    if not scored:
        return ""
    kinds = [*sorted({kind for told in scored.values() for kind in told} - {"all"}), "all"]
    rows = [f"| kind | {' | '.join(scored)} |", f"|---|{'---|' * len(scored)}"]
    for kind in kinds:
        best = max((told[kind]["recall"] for told in scored.values() if kind in told), default=0)
        cells = [_score(told.get(kind), best) for told in scored.values()]
        rows.append(f"| {kind} | {' | '.join(cells)} |")
    anyhow = [f"{told['all']['found anyhow']:.0%}" for told in scored.values()]
    rows.append(f"| found under any name | {' | '.join(anyhow)} |")
    return "Recall and precision by kind, best recall **bold**:\n\n" + "\n".join(rows)


def _score(told: Mapping[str, float] | None, best: float) -> str:
    if told is None:
        return "–"
    recall = f"{told['recall']:.0%}"
    return f"{f'**{recall}**' if told['recall'] == best else recall}, {told['precision']:.0%}"


def _missing(one: Found) -> str:
    return "\n".join(f"Not run: {name}: {told['not_run']}." for name, told in one["contestants"].items() if "not_run" in told)


def _starts(found: Mapping[str, Found]) -> str:
    rows = ["| comparison | what | wall | processor time |", "|---|---|--:|--:|"]
    for one in found.values():
        started = {name: told["start"] for name, told in one["contestants"].items() if "start" in told}
        best = min((start["cpu"] for start in started.values()), default=0)
        rows += [f"| {one['title']} | {f'**{name}**' if start['cpu'] == best else name} | {start['wall']:.2f} s | {start['cpu']:.2f} s |"
                 for name, start in started.items()]
    return "\n".join(rows)


def _versions(found: Mapping[str, Found]) -> str:
    known: dict[str, set[str]] = {}
    for one in found.values():
        for told in one["contestants"].values():
            for package, version in told.get("versions", {}).items():
                known.setdefault(package.replace("_", "-").lower(), set()).add(version)
    return ", ".join(f"{package} {'/'.join(sorted(versions))}" for package, versions in sorted(known.items())) + "."


def _micro(spread: Mapping[str, float] | None) -> str:
    if not spread:
        return "–"
    micro = 1e6 * spread["median"]
    return f"{micro:,.0f} µs" if micro >= 100 else f"{micro:.3g} µs"


def _times(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 10 else f"{value:.2g}"
