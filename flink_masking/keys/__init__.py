"""Key rings: roots, the subkeys derived from them, where they are kept, and sealing bytes with them."""
