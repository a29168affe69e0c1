"""Token vaults: where random tokens stand beside the sealed values that they were given for."""
