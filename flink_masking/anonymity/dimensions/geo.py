"""Places as a dimension: geohash cells."""

from flink_masking.anonymity.dimensions.prefix import PrefixDimension


class GeoDimension(PrefixDimension):
    """Geohashes of `length` characters, generalised by cutting from the right: ``9q8yy*``, ``9q8***``, the whole world ``*``.

    A cell has 32 cells of the next length. Cutting c of p characters loses (32^c - 1) / (32^p - 1), the share of the world that the
    label leaves open. Two places on both sides of a cell's edge can be near each other and share no prefix: they cost more than they
    need to, and hide no less.
    """

    symbols = 32

    def __init__(self, length: int, categories: bool = False) -> None:
        """Take the number of characters, 1 (5,000 km) to 8 (38 m).

        Raises:
            PolicyError: length is not between 1 and 8.
        """
        super().__init__(length, categories)
        self.signature = self.signature.replace("prefix", "geohash")
