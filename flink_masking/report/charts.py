"""Charts as SVG, drawn by Vega-Lite without a browser or a network; colours come from the page, so that light, dark and print fit."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flink_masking.errors import InputError

INK, GRID = "#010203", "#040506"
SERIES = ("#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04")
COLOURS: Mapping[str, str] = MappingProxyType({
    INK: "var(--ink)", GRID: "var(--grid)", **{colour: f"var(--series-{at})" for at, colour in enumerate(SERIES, 1)}})
"""Stand-ins in the drawing, and the variables of the page that replace them."""
_WIDTH, _HEIGHT = 560, 200


def class_sizes(view: Mapping[str, Any]) -> str:
    """Classes by the lines in them."""
    sizes = view["class_sizes"]
    width = max(1, -(-(max(one["lines"] for one in sizes) - view["k"] + 1) // 24))
    bins: dict[int, int] = {}
    for one in sizes:
        start = view["k"] + (one["lines"] - view["k"]) // width * width
        bins[start] = bins.get(start, 0) + one["classes"]
    values = [{"lines": f"{start}" if width == 1 else f"{start}–{start + width - 1}", "classes": count}
              for start, count in sorted(bins.items())]
    return svg({
        "data": {"values": values}, "mark": {"type": "bar", "color": SERIES[0]},
        "encoding": {"x": {"field": "lines", "type": "ordinal", "title": "lines in a class", "sort": None},
                     "y": {"field": "classes", "type": "quantitative", "title": "classes"}},
    })


def distribution(told: Mapping[str, Any]) -> str:
    """A quasi-identifier before and after: bars for the raw records, a line with points for the view."""
    bars = [{"label": one["label"], "share": one["before"]} for one in told["bins"]]
    line = [{"label": one["label"], "share": one["after"]} for one in told["bins"]]
    x = {"field": "label", "type": "ordinal", "title": told["path"], "sort": None}
    y = {"field": "share", "type": "quantitative", "title": "share of records", "axis": {"format": "%"}}
    return svg({"layer": [
        {"data": {"values": bars}, "mark": {"type": "bar", "color": SERIES[0], "opacity": 0.45}, "encoding": {"x": x, "y": y}},
        {"data": {"values": line}, "mark": {"type": "line", "color": SERIES[1], "point": {"color": SERIES[1], "size": 40}},
         "encoding": {"x": x, "y": y}},
    ]})


def series(told: Mapping[str, Any], groups: Sequence[str]) -> str:
    """The figures of a metric by window, a colour, sign and dash for each group, each with the band of the promised noise."""
    scale = {"domain": list(groups)}
    colour = {"field": "group", "type": "nominal", "title": "group", "scale": {**scale, "range": list(SERIES[: len(groups)])}}
    shape = {"field": "group", "type": "nominal", "scale": scale, "title": "group"}
    x = {"field": "window", "type": "temporal", "title": "window (UTC)", "scale": {"type": "utc"},
         "axis": {"format": "%m-%d %H:%M:%S", "tickCount": 5}}
    y = {"field": "value", "type": "quantitative", "title": told["metric"], "scale": {"zero": False}}
    return svg({"data": {"values": list(told["points"])}, "layer": [
        {"transform": [{"filter": "isValid(datum.low)"}], "mark": {"type": "errorbar", "ticks": True}, "encoding": {
            "x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}},
        {"mark": {"type": "line"}, "encoding": {"x": x, "y": y, "color": colour, "strokeDash": shape}},
        {"mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
         "encoding": {"x": x, "y": y, "color": colour, "shape": shape}},
    ]})


def histogram(told: Mapping[str, Any], groups: Sequence[str]) -> str:
    """The bins of a published histogram, bars beside each other for the groups, each with the band of the promised noise."""
    band = told["error_95"]
    values = [{**one, "low": one["value"] - band, "high": one["value"] + band} for one in told["bars"]]
    colour = {"field": "group", "type": "nominal", "title": "group",
              "scale": {"domain": list(groups), "range": list(SERIES[: len(groups)])}}
    x = {"field": "label", "type": "ordinal", "title": told["metric"], "sort": None}
    beside = {"field": "group", "type": "nominal", "scale": {"domain": list(groups)}}
    y = {"field": "value", "type": "quantitative", "title": "records"}
    return svg({"data": {"values": values}, "layer": [
        {"mark": {"type": "bar"}, "encoding": {"x": x, "xOffset": beside, "y": y, "color": colour}},
        {"mark": {"type": "rule", "strokeWidth": 2, "color": INK},
         "encoding": {"x": x, "xOffset": beside, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
    ]})


def svg(spec: dict[str, Any]) -> str:
    """Draw a Vega-Lite specification.

    Raises:
        InputError: vl-convert-python is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise InputError("charts need vl-convert-python, which is not installed. Hint: pip install 'flink-masking[report]', or "
                         "--json") from None
    axis = {"labelColor": INK, "titleColor": INK, "tickColor": GRID, "domainColor": GRID, "gridColor": GRID, "labelFontSize": 11,
            "titleFontSize": 12, "titleFontWeight": "normal", "labelAngle": 0, "labelOverlap": True}
    whole = {"width": _WIDTH, "height": _HEIGHT, "background": None, **spec,
             "config": {"axis": axis, "view": {"stroke": None}, "font": "sans-serif", "legend": {
                 "labelColor": INK, "titleColor": INK, "orient": "bottom", "labelFontSize": 12, "symbolOpacity": 1}}}
    drawn = vl_convert.vegalite_to_svg(whole, allowed_base_urls=[])
    for colour, variable in COLOURS.items():
        drawn = re.sub(rf'(fill|stroke)="{colour}"', rf'style="\1:{variable}"', drawn)
    return re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true" focusable="false">', drawn, count=1)
