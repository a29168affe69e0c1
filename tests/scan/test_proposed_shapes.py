"""Proposals for paths that are objects here and arrays there, and for dates of which a part is missing."""

from proposals import Proposed


def test_an_object_or_an_array_of_objects_has_one_declaration():
    """A path that is an object in one record and an array of objects in another is declared with [*]?, with one rule."""
    records = [{"address": {"city": f"c{k % 3}", "mail": f"p{k}@example.org"}} if k % 3 else
               {"address": [{"city": f"c{j}", "mail": f"q{k}{j}@example.org"} for j in range(k % 4)]} for k in range(90)]  # fmt: skip
    found = Proposed(records)
    assert list(found.fields) == ["address[*]?.city", "address[*]?.mail"]
    assert found.fields["address[*]?.mail"] == {"class": "direct", "type": "email"}
    view = found.view()
    assert all("@" not in str(record) for record in view) and view[1]["address"].keys() == {"mail"}


def test_a_value_or_an_array_of_values_has_one_declaration():
    """A path that is a text in one record and an array of texts in another is declared with [*]?."""
    records = [{"to": f"p{k}@example.org" if k % 2 else [f"q{k}@example.org", f"r{k}@example.org"], "n": k} for k in range(80)]
    found = Proposed(records)
    assert found.fields["to[*]?"] == {"class": "direct", "type": "email"} and found.rules["to[*]?"]["domain"] == "email"
    assert "to" not in found.fields and "to[*]" not in found.fields
    assert "@" not in str(found.view())


def test_what_no_path_can_say_stays_opaque():
    """Arrays of arrays beside objects, and values beside objects, are declared as json and dropped."""
    found = Proposed([{"a": {"x": 1}, "b": {"x": 1}}, {"a": [[1]], "b": "x"}, {"a": [{"x": 2}], "b": {"x": 2}}] * 9)
    assert found.fields["a"]["type"] == found.fields["b"]["type"] == "json" and not {"a", "b"} & set(found.rules)
    found.view()


def test_dates_without_day_or_month_are_partial_dates():
    """Texts such as 1971-04 and 1971 among dates have the type that takes them, and a coarser level."""
    records = [{"onset": ("1971", f"19{70 + k % 20}-04", f"2001-{k % 12 + 1:02d}-11")[k % 3], "birthDate": ("1950-01", "1962")[k % 2]}
               for k in range(90)]  # fmt: skip
    found = Proposed(records)
    assert found.fields["onset"]["type"] == found.fields["birthDate"]["type"] == "partial_date"
    assert found.rules["onset"] == {"technique": "generalize", "date": "month"} and found.rules["birthDate"]["date"] == "year"
    view = found.view()
    assert {len(record["onset"]) for record in view} == {4, 7} and {record["birthDate"] for record in view} == {"1950", "1962"}


def test_four_digits_alone_are_no_years():
    """Texts of four digits without dates among them are numbers, not partial dates."""
    found = Proposed([{"pin": f"{1900 + k}"} for k in range(90)])
    assert "partial" not in str(found.fields["pin"])


def test_a_list_of_words_among_which_a_few_values_name_people_is_not_kept():
    """Codes that come back are shown; not where somebody's name stands in some of them, however few these are."""
    names = ["Ömer Şahin", "Anna Nowak", "Jürgen Dubois", "Chloé Moreau"]
    records = [{"state": ("open", "paid", "closed")[k % 3], "step": ("open", "paid", "closed")[k % 3]} for k in range(4000)]
    for k, name in enumerate(names):
        records[k * 700]["step"] = f"unclear, ask {name}"
    found = Proposed(records)
    assert found.rules["state"] == "keep" and "step" not in found.rules
    assert found.comment("step").startswith("decide: personal data in some values (PERSON in 4 of 4,000")
    assert not any(name.split()[1] in str(found.view()) for name in names)


def test_codes_of_diseases_by_the_name_of_a_member_or_of_what_it_stands_in_are_dropped():
    """A member that is named after a system of codes for diseases is sensitive, and so is a code in an object that is named medical."""
    codes = ["S13.4", "M54.2", "F43.1"]
    found = Proposed([{"medical": {"icd10": codes[k % 3], "further": [{"code": codes[k % 3]}]}, "icd": codes[k % 3],
                       "device": {"code": codes[k % 3]}} for k in range(300)])
    for path in ("medical.icd10", "medical.further[*].code", "icd"):
        assert found.fields[path]["class"] == "sensitive" and path not in found.rules, path
    assert found.rules["device.code"] == "keep"


def test_no_estimate_of_different_values_is_above_their_number():
    """Where nearly every one of many values is another one, the estimate of how many differ does not exceed how many there are."""
    reports = [Proposed([{"at": f"{seed}x{k * 7919 % 99_991:05d}"} for k in range(5000)]).report for seed in range(6)]
    different = [next(path.distinct for path in report.paths if path.path == "at") for report in reports]
    assert all(4_500 < count <= 5_000 for count in different) and len(set(different)) > 1, different
