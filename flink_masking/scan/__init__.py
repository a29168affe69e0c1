"""Finds out what a stream of records holds, and proposes or judges a policy for it; see ``flink_masking/docs/scan.md``."""

from flink_masking.scan.against import Complaint, compare, unseen
from flink_masking.scan.prove import Proposal, propose_policy
from flink_masking.scan.report import PathReport, Report
from flink_masking.scan.scanner import Scanner

__all__ = ["Complaint", "PathReport", "Proposal", "Report", "Scanner", "compare", "propose_policy", "unseen"]
