"""What a view may show at a path, by its policy: where a leak monitor looks, and for what."""

from enum import IntEnum

from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import MaskedSegment
from flink_masking.records.paths import Wild, parse_path, unselected
from flink_masking.techniques.promises import Promises, Shows


class Place(IntEnum):
    """What the values of a path may be.

    SEARCHED: nothing that detection knows, and no value that is protected somewhere. PARTIAL: what is left of a value, which still has
    the form of one, and no whole value. REALISTIC: stand-ins that look like values, which equal a real one now and then. SHOWN: real
    values, by the policy.
    """

    SEARCHED = 0
    PARTIAL = 1
    REALISTIC = 2
    SHOWN = 3


class Places:
    """The places of one view."""

    def __init__(self, loaded: LoadedPolicy, segment: str) -> None:
        """Read the view's rules; of anonymized and aggregated segments every declared name may show what detection knows."""
        self._places: dict[tuple[object, ...], Place] = {}
        found = loaded.policy.segments[segment]
        for path in loaded.policy.fields:
            rule = loaded.covering(segment, path) if isinstance(found, MaskedSegment) else None
            place = Place.SHOWN if not isinstance(found, MaskedSegment) else Place.SEARCHED if rule is None else place_of(rule.promises)
            steps = tuple("*" if step in (Wild.ELEMENT, Wild.MAYBE, Wild.KEY) else step for step in unselected(parse_path(path)))
            self._places[steps] = max(place, self._places.get(steps, place))

    def of(self, path: str) -> Place:
        """What may stand at a path as `flink_masking.detect.Paths` names it."""
        steps = _steps(path)
        for length in range(len(steps), 0, -1):
            if (place := self._places.get(steps[:length])) is not None:
                return place
        return Place.SEARCHED

    def declared(self, path: str) -> bool:
        """Whether the policy names such a path."""
        return _steps(path) in self._places


def _steps(path: str) -> tuple[object, ...]:
    """The steps of a path of records, ``*`` for array elements and members of maps; none for a path that no policy can name."""
    try:
        return tuple("*" if isinstance(step, Wild) else step for step in parse_path(path)) if path else ()
    except ValueError:
        return ()


def place_of(promises: Promises) -> Place:
    """What the results of a rule are."""
    if promises.shows is Shows.EXACT or (promises.passes and promises.shows is Shows.NOTHING):
        return Place.SHOWN
    if promises.erases:
        return Place.SEARCHED
    realistic = promises.result != "text" or promises.version_beside or promises.needs_vault
    if realistic or promises.shows is Shows.NOISE:
        return Place.REALISTIC
    return Place.PARTIAL if promises.shows in (Shows.PART, Shows.COARSER) and not promises.parts else Place.SEARCHED
