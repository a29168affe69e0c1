"""Finds personal data where it should not be: by detection, and by fingerprints of values that Protect has met ("canaries")."""
