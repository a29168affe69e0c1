"""Differential privacy for aggregated views: bounded contributions, exact partial sums, noise drawn once per window.

The unit of protection is one subject in one window: the published rows of a window change only within (epsilon, delta) when all
records of one person in that window are added or taken away.
"""
