"""The verifier's figures against pycanon, against every possibility tried out, and against the other code of this project."""

import itertools
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycanon import anonymity

from flink_masking.anonymity.models.t_closeness import Distance
from flink_masking.hierarchy import Hierarchy
from flink_masking.policy.fields import Field
from flink_masking.policy.mechanisms import GEOHASH, dimension
from flink_masking.verify import diversity
from flink_masking.verify.attributes import GEOHASH as VERIFIED
from flink_masking.verify.attributes import attribute
from flink_masking.verify.closeness import Ground, distances
from flink_masking.verify.people import match
from flink_masking.verify.population import Population
from flink_masking.verify.tree import Tree

TREE = "flu;lung;*\nasthma;lung;*\ninfarct;heart;*\nangina;heart;*\n"


def table(seed, n=60, classes=6, values=5):
    """A release as pycanon takes it: two quasi-identifiers, a sensitive number and a sensitive word."""
    draw = random.Random(seed)
    rows = [{"age": f"{10 * (c := draw.randrange(classes))}-{10 * c + 9}", "sex": "*", "score": draw.randrange(values),
             "word": "abcde"[draw.randrange(values)]} for _ in range(n)]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("seed", range(8))
def test_pycanon_finds_the_same(seed):
    """k, distinct l, entropy l, alpha and both t of pycanon are those of the verifier."""
    frame = table(seed)
    quasi = ["age", "sex"]
    classes = frame.groupby(quasi).ngroup().to_numpy().astype(np.int64)
    words = np.unique(frame["word"], return_inverse=True)[1].astype(np.int64)
    scores = np.unique(frame["score"], return_inverse=True)[1].astype(np.int64)
    found, numbers = diversity.Occurrences.of(classes, words), diversity.Occurrences.of(classes, scores)
    assert found.size.min() == anonymity.k_anonymity(frame, quasi)
    assert diversity.distinct(found).min() == anonymity.l_diversity(frame, quasi, ["word"])
    assert int(diversity.entropy(found).min()) == anonymity.entropy_l_diversity(frame, quasi, ["word"])
    assert diversity.largest_share(found).max() == pytest.approx(anonymity.alpha_k_anonymity(frame, quasi, ["word"])[0])
    shares = [np.append(np.bincount(values) / len(values), 0.0) for values in (words, scores)]
    equal = distances(Ground.equal(words.max() + 1), found, shares[0])
    ordered = distances(Ground.ordered(scores.max() + 1), numbers, shares[1])
    assert equal.max() == pytest.approx(anonymity.t_closeness(frame, quasi, ["word"]))
    assert ordered.max() == pytest.approx(anonymity.t_closeness(frame, quasi, ["score"]))


def test_recursive_diversity_is_that_of_the_definition():
    """r1 / (r_l + … + r_m): classes with counts 5 3 2 and 4 4 1 need a c above 1 and 4/5 for l = 2, 5/2 and 4 for l = 3."""
    values = [0] * 5 + [1] * 3 + [2] * 2 + [0] * 4 + [1] * 4 + [2]
    found = diversity.Occurrences.of(np.array([0] * 10 + [1] * 9), np.array(values))
    assert diversity.recursive(found, 2).tolist() == [1.0, 0.8]
    assert diversity.recursive(found, 3).tolist() == [2.5, 4.0]
    assert diversity.recursive(found, 4).tolist() == [np.inf, np.inf]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=6), st.data())
def test_bounds_of_people_hold_for_every_assignment(records, data):
    """However lines are assigned to records of their mark, there are no fewer people than `least` and no more than `most`."""
    kept = data.draw(st.lists(st.sampled_from(range(len(records))), min_size=1, unique=True))
    marks = np.array([records[i][0] for i in kept])
    record_marks, people = (np.array(column) for column in zip(*records, strict=True))
    found = match(marks, np.arange(len(records)), record_marks, people)
    choices = itertools.combinations(range(len(records)), len(kept))
    ways = [chosen for chosen in choices if sorted(record_marks[list(chosen)]) == sorted(marks)]
    numbers = {len({int(people[i]) for i in chosen}) for chosen in ways}
    assert found.least <= min(numbers) and found.most >= max(numbers)
    assert found.uncovered == found.surplus == 0
    assert all(marks[line] == record_marks[record] for line, record in zip(found.lines, found.records, strict=True))
    assert len(set(found.records.tolist())) == len(found.records)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=40), st.data())
def test_a_box_holds_what_lies_in_it(points, data):
    """The points that a search finds are those that a comparison of every point finds; sets lie in a box with both ends."""
    places = [np.array([(a, a) for a, _, _ in points]), np.array([(b, b + c) for _, b, c in points])]
    rows = np.array(data.draw(st.lists(st.sampled_from(range(len(points))), unique=True)), np.int64)
    population = Population(places, rows, np.arange(len(points)))
    corner = tuple(tuple(sorted(data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))) for _ in range(2))
    inside = [row for row in rows.tolist() if all(low <= place[row, 0] and place[row, 1] <= high
                                                  for place, (low, high) in zip(places, corner, strict=True))]
    assert sorted(population.rows[population.within(corner)].tolist()) == sorted(inside)


FIELDS = [
    (Field(**{"class": "quasi", "domain": (-10, 10)}), list(range(-10, 11))),
    (Field(**{"class": "quasi", "domain": (0, 3), "scale": 1}), [n / 10 for n in range(31)]),
    (Field(**{"class": "quasi", "domain": ("2024-02-20", "2024-03-10")}), [f"2024-03-{day:02}" for day in range(1, 11)]),
    (Field(**{"class": "quasi", "prefix": 4}), ["9411", "9412", "94", "9", "9500", "A1 b"]),
    (Field(**{"class": "quasi", "hierarchy": "tree.csv"}), ["flu", "asthma", "infarct", "angina"]),
    (Field(**{"class": "quasi", "type": "boolean"}), [True, False]),
]


@pytest.mark.parametrize(("field", "values"), FIELDS, ids=[str(number) for number in range(len(FIELDS))])
def test_labels_say_what_the_anonymizer_means(field, values):
    """Every label that the anonymizer writes covers its values here, too, and loses the same."""
    import pyarrow as pa

    from flink_masking.records.kinds import Kind

    made = dimension(field, {"tree.csv": Hierarchy.read(TREE, "tree.csv")})
    read = attribute("f", field, {"tree.csv": Tree(TREE, "tree.csv")}, False)
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    kind = Kind.STRING if isinstance(values[0], str) else (Kind.TRUE if isinstance(values[0], bool) else Kind.NUMBER)
    codes, known = made.encode(pa.array(texts), np.full(len(values), kind, np.int32))
    assert known.all()
    places = read.positions(values)
    for (code, place), (other, beyond) in itertools.product(zip(codes.tolist(), places.tolist(), strict=True), repeat=2):
        low, high = min(code, other), max(code, other)
        box = read.box(made.label(low, high))
        assert box is not None
        assert box.low <= min(place[0], beyond[0]) and max(place[1], beyond[1]) <= box.high
        assert box.loss == pytest.approx(made.loss(low, high))


@pytest.mark.parametrize("distance", ["equal", "ordered", "hierarchical"])
def test_distances_are_those_of_the_anonymizer(distance):
    """Both programs compute the same earth mover's distances, values without a code included."""
    tree, hierarchy = Tree(TREE, "tree.csv"), Hierarchy.read(TREE, "tree.csv")
    ground = Ground.hierarchical(tree) if distance == "hierarchical" else getattr(Ground, distance)(4)
    other = Distance.hierarchical(hierarchy) if distance == "hierarchical" else getattr(Distance, distance)(4)
    draw = np.random.default_rng(3)
    for _ in range(20):
        one, whole = draw.dirichlet(np.ones(5)), draw.dirichlet(np.ones(5))
        apart = one - whole
        expected = sum(cost * abs(apart[first : last + 1].sum()) for first, last, cost in other.ranges) / other.divisor
        assert ground.distances(one[None], whole)[0] == pytest.approx(expected)


def test_places_have_the_same_cells():
    """Both programs take six characters of a geohash where the policy does not say, and make the same cell of a point."""
    import pyarrow as pa

    from flink_masking.records.kinds import Kind
    from flink_masking.techniques.generalize.places import geohash_cells
    from flink_masking.techniques.masks import Context, Values
    from flink_masking.verify.attributes import geohash

    assert VERIFIED == GEOHASH
    draw = random.Random(1)
    points = [(draw.uniform(-90, 90), draw.uniform(-180, 180)) for _ in range(200)] + [(90.0, 180.0), (-90.0, -180.0), (0.0, 0.0)]
    text = pa.array([f'{{"lat":{lat!r},"lon":{lon!r}}}' for lat, lon in points])
    values = Values(text, np.full(len(points), Kind.OBJECT, np.int32), np.arange(len(points), dtype=np.int32))
    assert geohash_cells(6)(values, Context(b"")).values.to_pylist() == [geohash(lat, lon, 6) for lat, lon in points]
