"""Quasi-identifiers as dimensions: how a value becomes a code, and a range of codes the label that is released."""

from flink_masking.anonymity.dimensions.base import Dimension
from flink_masking.anonymity.dimensions.boolean import BooleanDimension
from flink_masking.anonymity.dimensions.date import DateDimension
from flink_masking.anonymity.dimensions.geo import GeoDimension
from flink_masking.anonymity.dimensions.grid import Grid
from flink_masking.anonymity.dimensions.labels import LabelsDimension
from flink_masking.anonymity.dimensions.number import NumberDimension
from flink_masking.anonymity.dimensions.prefix import PrefixDimension
from flink_masking.anonymity.dimensions.tree import HierarchyDimension

__all__ = ["BooleanDimension", "DateDimension", "Dimension", "GeoDimension", "Grid", "HierarchyDimension", "LabelsDimension",
           "NumberDimension", "PrefixDimension"]
