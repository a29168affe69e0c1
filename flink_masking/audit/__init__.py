"""The audit trail: what was done to how many values, without the values."""
