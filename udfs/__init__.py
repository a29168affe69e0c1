"""Functions for Flink SQL, by the names that users type.

``protect`` is made for a policy, so it is registered by a call; see `udfs.protect`.
"""
