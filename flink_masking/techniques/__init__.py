"""Masking techniques, a file each; the registry lists them."""
