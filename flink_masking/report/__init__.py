"""One page about a policy and what it released: flow, coverage, measured groups and figures, joins, points of law; as data and as HTML."""

from flink_masking.report.figures import figures
from flink_masking.report.html import as_html

__all__ = ["as_html", "figures"]
