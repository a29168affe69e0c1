"""Addresses, references and passwords in the options of a deployment."""
