"""Deployments: where a job reads and writes, and the Flink SQL tables made of that."""
