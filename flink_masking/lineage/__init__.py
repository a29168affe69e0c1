"""Lineage of jobs in OpenLineage: which field of which view is made of what, and whether it is masked."""
