"""What an aggregated segment promises, what it costs and how exact it is: as figures, and in plain words."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from flink_masking.dp.accounting import epsilon_of
from flink_masking.dp.accuracy import deviation, rank_deviation, ratio_deviation, within_95
from flink_masking.dp.spec import AggregateSpec, Metric, Quantity
from flink_masking.policy.budget import together
from flink_masking.policy.durations import UNITS, written
from flink_masking.policy.segments import AggregatedSegment

_NEIGHBOURS = {
    "add_remove": "streams that differ by adding or removing all records of one person in a window (neighbours: replace is for others in "
                  "their place, with twice the noise)",
    "replace": "streams in which one person has other records in a window, or none (neighbours: replace); all noise has twice the scale "
               "of adding or removing them",
}
RECORDS = 1000
"""Records of the group that the errors of means, variances and quantiles are stated for."""
_DAY = UNITS["d"]


def account(name: str, spec: AggregateSpec) -> dict[str, Any]:
    """The figures of a segment.

    Args:
        name: the segment's.
        spec: what it computes and promises.

    Returns:
        Plain values, the same for the same policy: ``unit``, ``neighbours``, ``window``, ``per_window``, ``per_record``, ``per_day`` and
        ``lifetime`` (epsilon and delta), ``bounding``, ``groups``, ``split`` (what each noisy quantity takes of the budget, and the scale
        of its noise in the units of the metric) and ``metrics`` (standard deviation and the distance that 95 of 100 figures keep to).
    """
    per_day = -(-_DAY // spec.step)
    return {
        "segment": name,
        "unit": "person and window",
        "neighbours": spec.neighbours,
        "mechanism": spec.mechanism,
        "window": {"size_ms": spec.window_ms, "every_ms": spec.step, "windows_per_record": spec.windows_per_record},
        "per_window": _cost(spec, 1),
        "per_record": _cost(spec, spec.windows_per_record),
        "per_day": _cost(spec, per_day),
        "lifetime": None if spec.lifetime is None else {"epsilon_limit": spec.lifetime_epsilon, **_cost(spec, spec.lifetime_windows)},
        "bounding": {"groups_per_person_and_window": spec.max_groups_per_subject,
                     "records_per_person_and_group": spec.max_records_per_group,
                     "clipped": {m.name: [_shown(m.low, m.scale), _shown(m.high, m.scale)] for m in spec.measures}},
        "groups": {"chosen_by": "threshold", "threshold": spec.threshold} if spec.groups is None else
                  {"chosen_by": "public list", "groups": len(spec.groups)},
        "split": [_part(spec, quantity) for quantity in spec.quantities],
        "metrics": [_error(spec, metric) for metric in spec.metrics],
    }


def stream_account(segments: Mapping[str, AggregatedSegment], lifetime: float | None) -> dict[str, Any]:
    """What the aggregated segments of a stream cost one person together, by adding up.

    Args:
        segments: at least one.
        lifetime: of the stream's budget; None where it has none.

    Returns:
        Plain values: ``stream`` (the segments' names), ``per_window`` (of each), ``per_record``, ``per_day`` and ``lifetime`` (epsilon;
        null without a limit), ``delta_per_window``, ``lifetime_limit`` and the ``parts`` of it by segment.
    """
    costs = together(segments)
    figures = {name: None if value is None else _rounded(value) for name, value in costs._asdict().items()}
    parts = {name: segment.privacy.lifetime_epsilon for name, segment in segments.items()}
    return {"stream": list(segments), **figures, "lifetime_limit": lifetime, "parts": parts}


def stream_in_words(figures: dict[str, Any]) -> str:
    """`stream_account` in plain words, a line each."""
    life = "without limit (privacy: {lifetime_epsilon: 100} beside 'segments' sets one for all of them)"
    if figures["lifetime"] is not None:
        life = f"epsilon {_figure(figures['lifetime'])} at most"
    lines = [
        f"All aggregated segments of the stream together: {', '.join(figures['stream'])}",
        "  Each promise above is for its segment alone. Whoever reads them all: costs of one person add up.",
        f"  Cost for one window of each: epsilon {_figure(figures['per_window'])}, delta {figures['delta_per_window']:g}.",
        f"  Cost of a single record, in all its windows: epsilon {_figure(figures['per_record'])}.",
        f"  Cost of a day for a person who is there in all windows that count: epsilon {_figure(figures['per_day'])}.",
        f"  Cost of a lifetime: {life}.",
    ]
    if figures["lifetime_limit"] is not None:
        parts = ", ".join(f"{name} {_figure(part)}" for name, part in figures["parts"].items())
        lines.append(f"  The stream's budget of {_figure(figures['lifetime_limit'])} in parts: {parts}.")
    return "\n".join(lines) + "\n"


def _cost(spec: AggregateSpec, windows: int) -> dict[str, Any]:
    """What a person who is in so many windows has spent, by adding up; with Gaussian noise also by zCDP, where that is less."""
    if spec.lifetime is not None:
        windows = min(windows, spec.lifetime_windows)
    delta = windows * (spec.threshold_delta + spec.noise_delta)
    cost: dict[str, Any] = {"windows": windows, "epsilon": _rounded(windows * spec.epsilon), "delta": _rounded(min(1.0, delta))}
    if spec.mechanism == "gaussian" and windows > 1 and windows * spec.noise_delta < 1:
        together = epsilon_of(windows * spec.rho, windows * spec.noise_delta)
        if together < windows * spec.epsilon:
            cost["epsilon_by_zcdp"] = _rounded(together)
    return cost


def _part(spec: AggregateSpec, quantity: Quantity) -> dict[str, Any]:
    words = {"subjects": "distinct people", "records": "records", "sum": "sum of {}", "squares": "squares of {}",
             "values": "records with {}", "bins": "records by bin of {}"}
    decimals, name = 0, ""
    if quantity.measure is not None:
        measure = spec.measures[quantity.measure]
        name, decimals = measure.name, measure.scale * {"sum": 1, "squares": 2}.get(quantity.kind, 0)
    kind = "epsilon" if spec.mechanism == "laplace" else "rho"
    budget = (spec.epsilon if spec.mechanism == "laplace" else spec.rho) / len(spec.quantities)
    used = [metric.name for metric in spec.metrics if quantity in spec.used_by(metric)]
    return {"quantity": words[quantity.kind].format(name), kind: _rounded(budget), "scale": _rounded(spec.scale(quantity) / 10**decimals),
            "used_by": used}


def _error(spec: AggregateSpec, metric: Metric) -> dict[str, Any]:
    told: dict[str, Any] = {"metric": metric.name, "kind": metric.kind}
    if metric.measure is None or metric.kind in ("sum", "histogram"):
        decimals = 0 if metric.measure is None or metric.kind == "histogram" else spec.measures[metric.measure].scale
        return told | _errors(spec, deviation(spec, spec.used_by(metric)[0]) / 10**decimals)
    measure = spec.measures[metric.measure]
    told |= {"records": RECORDS}
    if metric.kind == "quantiles":
        even = (metric.bins[-1] - metric.bins[0]) / 10**measure.scale / RECORDS
        errors = {str(q): rank_deviation(spec, metric, q, _bins_below(metric, q)) * even for q in metric.of}
        return told | {"of": {q: _errors(spec, error) for q, error in errors.items()}}
    decimals = measure.scale * (2 if metric.kind == "variance" else 1)
    mean, variance = (measure.low + measure.high) / 2, (measure.high - measure.low) ** 2 / 12
    return told | _errors(spec, ratio_deviation(spec, metric, RECORDS, mean, variance) / 10**decimals)


def _bins_below(metric: Metric, share: float) -> float:
    """Bins below the quantile of values spread evenly from the first edge to the last, and the part of its own that is."""
    at = metric.bins[0] + share * (metric.bins[-1] - metric.bins[0])
    bin = min(bisect_right(metric.bins, at), len(metric.bins) - 1) - 1
    return bin + (at - metric.bins[bin]) / (metric.bins[bin + 1] - metric.bins[bin])


def _errors(spec: AggregateSpec, standard_deviation: float) -> dict[str, float]:
    return {"standard_deviation": _rounded(standard_deviation), "within_95": _rounded(within_95(spec, standard_deviation))}


def _rounded(number: float) -> float:
    """To five figures, so that it is the same on every machine."""
    return float(f"{number:.5g}")


def _shown(units: int, scale: int) -> float | int:
    return units / 10**scale if scale else units


def in_words(figures: dict[str, Any]) -> str:
    """`account` in plain words, a line each."""
    return "\n".join(_lines(figures)) + "\n"


def _lines(a: dict[str, Any]) -> Iterator[str]:
    window, bounding, groups = a["window"], a["bounding"], a["groups"]
    hopping = window["windows_per_record"] > 1
    yield f"{a['segment']}"
    yield ("  Protected: all records of one person in one window. Whoever sees the rows of a window can hardly tell whether the person "
           "was in it at all.")
    yield f"  Neighbours: {_NEIGHBOURS[a['neighbours']]}."
    if hopping:
        yield (f"  Windows: {written(window['size_ms'])} long, one every {written(window['every_ms'])}: each record counts in "
               f"{window['windows_per_record']} windows.")
    else:
        yield f"  Windows: {written(window['size_ms'])} long, one after another."
    yield f"  Cost for one window: {_spent(a['per_window'])}."
    if hopping:
        yield f"  Cost of a single record, in all its windows: {_spent(a['per_record'])}."
    yield f"  Cost of a day for a person who is there in all {a['per_day']['windows']:,} windows that count: {_spent(a['per_day'])}."
    if a["lifetime"] is None:
        yield "  Cost of a lifetime: without limit; every further window adds its cost (privacy: lifetime_epsilon sets one)."
    else:
        yield (f"  Cost of a lifetime: {_spent(a['lifetime'])} at most, that is {a['lifetime']['windows']:,} windows; after them the "
               "person no longer counts.")
    c, r = bounding["groups_per_person_and_window"], bounding["records_per_person_and_group"]
    yield f"  One person counts in at most {_many(c, 'group')} of a window, with at most {_many(r, 'record')} in each."
    for field, (low, high) in bounding["clipped"].items():
        yield f"  {field}: values below {_figure(low)} count as {_figure(low)}, values above {_figure(high)} as {_figure(high)}."
    yield f"  Groups: {groups_in_words(groups)}"
    yield f"  Noise: discrete {a['mechanism'].capitalize()}, the budget in equal parts over {_many(len(a['split']), 'quantity')}:"
    for part in a["split"]:
        kind = "epsilon" if "epsilon" in part else "rho"
        use = ", ".join(part["used_by"]) or "choosing groups"
        yield f"    {part['quantity']}: {kind} {_figure(part[kind])}, scale {_figure(part['scale'])} (for {use})"
    yield "  Expected error by noise, as the standard deviation, and the distance that 95 of 100 figures keep to:"
    for metric in a["metrics"]:
        yield from _metric_lines(metric)


def groups_in_words(groups: Mapping[str, Any]) -> str:
    """Which groups are shown, of the ``groups`` of an account: a sentence."""
    if groups["chosen_by"] == "threshold":
        return (f"those found in the data that have {groups['threshold']:,} or more distinct people, noise included; smaller ones are "
                "not shown.")
    return (f"the public list of {groups['groups']:,}, all of them in every window, zeros and empty windows too; other groups do not "
            "count.")


def _metric_lines(metric: dict[str, Any]) -> Iterator[str]:
    of_group = f", in a group of {metric['records']:,} records spread evenly" if "records" in metric else ""
    if "of" in metric:
        for share, error in metric["of"].items():
            yield f"    {metric['metric']} {share}: ±{_figure(error['standard_deviation'])}, 95 %: ±{_figure(error['within_95'])}{of_group}"
        return
    each = " in each bin" if metric["kind"] == "histogram" else of_group
    yield f"    {metric['metric']}: ±{_figure(metric['standard_deviation'])}, 95 %: ±{_figure(metric['within_95'])}{each}"


def _spent(cost: dict[str, Any]) -> str:
    tighter = f" (by zCDP {_figure(cost['epsilon_by_zcdp'])})" if "epsilon_by_zcdp" in cost else ""
    return f"epsilon {_figure(cost['epsilon'])}{tighter}, delta {cost['delta']:g}"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,}"


def _many(number: int, noun: str) -> str:
    plural = "quantities" if noun == "quantity" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
