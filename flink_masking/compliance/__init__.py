"""Evidence from a policy for points of law and standards: which field and rule meets each, what is open, what no tool can know.

A framework is a module with ``FRAMEWORK``; `assess` asks each of its points. Results are evidence, not a legal opinion.
"""

from flink_masking.compliance.frameworks import FRAMEWORKS, assess, assess_all
from flink_masking.compliance.model import Assessment, Evidence, Figure, Framework, Point, Status

__all__ = ["FRAMEWORKS", "Assessment", "Evidence", "Figure", "Framework", "Point", "Status", "assess", "assess_all"]
