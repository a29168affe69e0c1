"""The page: one HTML file that loads nothing."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from flink_masking.compliance.model import UNKNOWN
from flink_masking.errors import InputError
from flink_masking.report import charts

MOST = 3_000_000
"""Bytes of a page."""
MARKS: Mapping[str, str] = MappingProxyType({
    "nothing": "–", "random token": "◇", "stand-in": "◆", "noise": "≈", "coarser": "▤", "other records' values": "⇄", "part": "◐",
    "exact": "●"})
"""A sign for what is told, beside the word."""


def as_html(told: Mapping[str, Any]) -> str:
    """The page of some figures.

    Args:
        told: of `flink_masking.report.figures`.

    Raises:
        InputError: jinja2 or vl-convert-python is not installed, or the page would be too large.
    """
    try:
        import jinja2
    except ImportError:
        raise InputError("the page needs Jinja2, which is not installed. Hint: pip install 'flink-masking[report]', or --json") from None
    text = resources.files(__package__).joinpath("page/report.html").read_text(encoding="utf-8")
    style = resources.files(__package__).joinpath("page/report.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": _number, "share": lambda value: f"{value:.1%}"}
    drawn = {
        "classes": {view["segment"]: charts.class_sizes(view) for view in told["anonymized"] if view["class_sizes"]},
        "distributions": {view["segment"]: [charts.distribution(one) if one["bins"] else "" for one in view["distributions"]]
                          for view in told["anonymized"]},
        "series": {view["segment"]: [charts.series(one, view["groups_told"]) if one["points"] else "" for one in view["series"]]
                   for view in told["aggregated"]},
        "histograms": {view["segment"]: [charts.histogram(one, view["groups_told"]) if one["bars"] else "" for one in view["histograms"]]
                       for view in told["aggregated"]},
    }
    page = environment.from_string(text).render(told=told, drawn=drawn, style=style, marks=MARKS, unknown=UNKNOWN)
    if len(page.encode()) > MOST:
        raise InputError(f"the page would have more than {MOST / 1e6:g} MB. Hint: --json prints the same figures")
    return page


def _number(value: Any) -> str:
    if not isinstance(value, int | float):
        return "–"
    if isinstance(value, int) or abs(value) >= 100 or (value.is_integer() and abs(value) > 1):
        return f"{value:,.0f}"
    return f"{value:.3g}"
