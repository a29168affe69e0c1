"""Alerts: rules over the audit, the quarantine and the findings of the leak monitor, and where alerts go."""
