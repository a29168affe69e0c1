"""k-anonymity on a stream: quasi-identifiers as dimensions, groups of people with one tight box, released once."""
