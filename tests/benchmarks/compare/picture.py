"""The comparison as a picture: each peer's processor time in multiples of this library's, readable in light and dark."""

import re
from collections.abc import Mapping
from typing import Any

from flink_masking.report import charts

OURS, MORE, LESS = "flink-masking", "flink-masking takes less", "the peer takes less"
_TITLE = "Processor time of the same work beside flink-masking"
_LABELS = 400
"""Width of the names of rows, pixels."""
_STYLE = """<style>svg{--ink:#1d2733;--grid:#d5dae0;--series-1:#2f6db3;--series-2:#b4500a;--series-3:#2b7a4b;--series-4:#7a3fa0;
--paper:#fff;font-family:sans-serif}@media(prefers-color-scheme:dark){svg{--ink:#e6edf3;--grid:#3a434e;--series-1:#79b8ff;--series-2:#f0a05a;
--series-3:#7ee2a8;--series-4:#d2a8ff;--paper:#0d1117}}</style><rect width="100%" height="100%" style="fill:var(--paper)"/>"""


def rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for the title of each comparison and for each peer that ran: ratio of processor times, and who is faster."""
    made: list[dict[str, Any]] = []
    for one in found.values():
        made.append({"row": f"{len(made)}|{one['title']}{' (little data)' if one.get('quick') else ''}|title"})
        for name, told in one["contestants"].items():
            spread = (told.get("times_ours") or {}).get("cpu")
            if spread and not name.startswith(OURS):
                made.append({
                    "row": f"{len(made)}|{name}|peer", "times": spread["median"], "low": spread["min"], "high": spread["max"],
                    "faster": LESS if spread["median"] < 1 else MORE,
                    "label": f"{spread['median']:,.0f} ×" if spread["median"] >= 10 else f"{spread['median']:.2g} ×"})
    return made


def picture(found: Mapping[str, Any]) -> str:
    """An SVG file with versions, machine and date in it.

    Args:
        found: comparisons by name, as `run` writes them.
    """
    values = rows(found)
    machine = next(iter(found.values()))["machine"] if found else {"processor": "", "cores": 0, "date": "", "python": ""}
    versions = {package.replace("_", "-"): version for one in found.values() for told in one["contestants"].values()
                for package, version in told.get("versions", {}).items()}
    listed = ", ".join(f"{package} {version}" for package, version in sorted(versions.items()))
    colour = {"field": "faster", "type": "nominal", "title": None, "legend": {"orient": "top", "columnPadding": 60},
              "scale": {"domain": [MORE, LESS], "range": list(charts.SERIES[:2])}}
    y = {"field": "row", "type": "nominal", "sort": [value["row"] for value in values], "title": None, "axis": {
        "labelExpr": "split(datum.label, '|')[1]", "labelAlign": "left", "labelPadding": _LABELS, "labelLimit": _LABELS,
        "labelFontSize": 12, "ticks": False, "labelFontWeight": {
            "condition": {"test": "split(datum.label, '|')[2] == 'title'", "value": "bold"}, "value": "normal"}}}
    scale = {"type": "log", "nice": True}
    x = {"field": "times", "type": "quantitative", "scale": scale, "axis": {"format": "~g", "tickCount": 6},
         "title": "processor time of the peer ÷ that of flink-masking (logarithmic)"}
    point = {"y": y, "x": x, "color": colour, "shape": {**colour, "scale": {"domain": [MORE, LESS], "range": ["circle", "square"]}}}
    spec = {
        "width": 420, "height": {"step": 21}, "data": {"values": values},
        "title": {"text": _TITLE, "color": charts.INK, "fontSize": 15, "anchor": "start", "frame": "group", "dx": -_LABELS,
                  "subtitle": [f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, {machine['date']}; "
                               "point: median, line: minimum to maximum of the rounds", *_wrapped(listed)],
                  "subtitleColor": charts.INK, "subtitleFontSize": 10},
        "layer": [
            {"mark": {"type": "rule", "strokeDash": [4, 3], "color": charts.INK}, "encoding": {"x": {"datum": 1, "scale": scale}}},
            {"mark": {"type": "rule", "strokeWidth": 2}, "transform": [{"filter": "isValid(datum.times)"}],
             "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour}},
            {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1}, "transform": [{"filter": "isValid(datum.times)"}],
             "encoding": point},
            {"mark": {"type": "text", "dx": 24, "dy": -7, "fontSize": 10, "color": charts.INK},
             "transform": [{"filter": "isValid(datum.times)"}], "encoding": {"y": y, "x": x, "text": {"field": "label"}}},
            {"mark": {"type": "point", "opacity": 0}, "transform": [{"filter": "!isValid(datum.times)"}],
             "encoding": {"y": y, "x": {"datum": 1}}},
        ],
    }
    drawn = charts.svg(spec)
    view = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', drawn)
    assert view is not None
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{_TITLE}" '
            f'width="{view[1]}" height="{view[2]}" viewBox="0 0 {view[1]} {view[2]}">')
    for _ in range(2):  # one attribute for fill and stroke
        drawn = re.sub(r'(<[^>]*?) style="([^"]*)"([^>]*?) style="([^"]*)"', r'\1 style="\2;\4"\3', drawn)
    return re.sub(r"<svg [^>]*>", lambda _: head + _STYLE, drawn, count=1) + "\n"


def _wrapped(text: str, width: int = 130) -> list[str]:
    lines = [""]
    for word in text.split(", "):
        lines = [*lines, word] if len(lines[-1]) + len(word) > width else [*lines[:-1], f"{lines[-1]}, {word}" if lines[-1] else word]
    return lines
