"""generalize: geohash cells, against exact fractions and published cells."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.records.kinds import Kind
from flink_masking.techniques.generalize import TECHNIQUE

REFUSED = "(refused)"
ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"


def geohash(latitude: str, longitude: str, length: int) -> str:
    """The cell by repeated halving of exact intervals."""
    axes = [[Fraction(-180), Fraction(180), Fraction(longitude)], [Fraction(-90), Fraction(90), Fraction(latitude)]]
    text = ""
    for k in range(length):
        cell = 0
        for bit in range(5):
            axis = axes[(5 * k + bit) % 2]
            middle = (axis[0] + axis[1]) / 2
            above = axis[2] >= middle
            axis[0 if above else 1] = middle
            cell = 2 * cell + above
        text += ALPHABET[cell]
    return text


@pytest.mark.parametrize(
    ("place", "length", "expected"),
    [
        ('{"lat":57.64911,"lon":10.40744}', 11, "u4pruydqqvj"),  # the example of geohash.org
        ('{"lat":42.605,"lng":-5.603}', 5, "ezs42"),
        ('{ "longitude" : 1.0e1 , "name":"x\\"}", "deep":[{"lat":9},[]], "latitude" :\t5.0 }', 4, geohash("5", "10", 4)),
        ('{"lat":90,"lon":180}', 3, "zzz"),
        ('{"lat":-90,"lon":-180}', 3, "000"),
    ],
)
def test_cells(run, place, length, expected):
    """Published cells come out, under all names of the members, at the edges of the world too."""
    assert [expected] == run(TECHNIQUE, {"geohash": length}, [place], Kind.OBJECT)


@settings(deadline=None)
@given(st.decimals(-90, 90, places=7).map(str), st.decimals(-180, 180, places=7).map(str), st.integers(1, 12))
def test_as_by_halving(run, latitude, longitude, length):
    """Any place lies in the cell that exact halving gives."""
    text = f'{{"lat":{float(latitude)},"lon":{float(longitude)}}}'
    expected = geohash(repr(float(latitude)), repr(float(longitude)), length)
    assert [expected] == run(TECHNIQUE, {"geohash": length}, [text], Kind.OBJECT)


@pytest.mark.parametrize(
    "place",
    [
        "{}",
        '{"lat":1}',
        '{"lat":1,"lat":2,"lon":3}',
        '{"lat":1,"latitude":1,"lon":3}',
        '{"l\\u0061t":1,"lat":1,"lon":3}',
        '{"lat":"1","lon":3}',
        '{"lat":null,"lon":3}',
        '{"lat":91,"lon":3}',
        '{"lat":1,"lon":-180.5}',
        '{"lat":1e99,"lon":3}',
        '{"lat":[1],"lon":3}',
        '{"p":{"lat":1,"lon":3}}',
    ],
)
def test_refused(run, place):
    """An object without one latitude and one longitude that are numbers in range is refused."""
    assert [REFUSED] == run(TECHNIQUE, {"geohash": 5}, [place], Kind.OBJECT)


def test_only_objects(run):
    """Text that looks like an object is refused, null stays null."""
    assert [REFUSED, None] == run(TECHNIQUE, {"geohash": 5}, ['{"lat":1,"lon":3}', None])


@settings(deadline=None)
@given(
    st.text('{}[],:" \\latong0189.-eE', max_size=60)
    | st.dictionaries(st.sampled_from(["lat", "lon", "x"]), st.integers() | st.text()).map(json.dumps)
)
def test_any_text_is_survived(run, text):
    """Whatever the text, the answer is a cell or a refusal."""
    (result,) = run(TECHNIQUE, {"geohash": 4}, [text], Kind.OBJECT)
    assert result in ("", REFUSED) or (len(result) == 4 and set(result) <= set(ALPHABET))
