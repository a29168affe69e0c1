"""flink-masking techniques."""

import json

import pytest

from flink_masking.techniques.registry import OWN


def test_all_techniques_are_listed(cli):
    """techniques names every one, and as JSON each with parameters and the promises of its examples."""
    listed, told = cli("techniques"), cli("techniques", "--json")
    assert (listed.code, listed.err, told.code, told.err) == (0, "", 0, "")
    document = {one["name"]: one for one in json.loads(told.out)}
    assert list(document)[: len(OWN)] == list(OWN)
    assert document["perturb"]["parameters"]["scale"]["description"].startswith("decimals of the result")
    assert [len(document[name]["examples"]) for name in OWN] == [len(technique.examples) for technique in OWN.values()]
    assert document["nullify"]["examples"][0]["promises"]["hides"] == "always"
    assert document["encrypt"]["examples"][0]["promises"] == {
        "shows": "nothing", "row_local": True, "injective": True, "reversible": True, "purposes": ["encrypt"], "domain": "customer",
        "carries_key_version": True, "bound_to_field": True, "result": "text",
    }  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_one_is_shown_in_detail(cli, name):
    """techniques NAME shows its parameters and a rule of a policy for each example."""
    shown = cli("techniques", name)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.count(f"{{technique: {name}") == len(OWN[name].examples)
    assert "on_error" in shown.out


def test_an_unknown_name_is_an_error_with_a_hint(cli):
    """techniques NAME says what was probably meant."""
    done = cli("techniques", "nulify")
    assert done.code != 0 and "did you mean 'nullify'" in " ".join(done.err.split())
