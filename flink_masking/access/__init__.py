"""Kafka access control: least-privilege ACLs derived from a policy, a deployment and a principals file."""
