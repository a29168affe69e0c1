"""Kafka administration and topics, through the Java client that the job itself uses."""
