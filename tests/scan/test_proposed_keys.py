"""Proposals for objects whose keys are data: their members are shown under a rule for the keys."""

import uuid

from proposals import Proposed


def test_members_of_a_map_are_shown_under_masked_keys():
    """The keys of a map get pseudonyms, and its members their own rules."""
    found = Proposed([{"counts": {f"team-{k % 60}-{k}": k * 1.5}} for k in range(200)])
    assert found.rules["counts.*"] == "keep"
    keys = found.policy["segments"]["masked-s"]["keys"]
    assert keys["counts.*"]["technique"] == "pseudonym"
    assert "team-" not in found.proposal.text and "team-" not in str(found.view())
    assert sorted(value for record in found.view() for value in record["counts"].values()) == [k * 1.5 for k in range(200)]


def test_keys_join_with_the_values_that_they_are():
    """Keys that are values of another field get that field's pseudonyms."""
    known = [str(uuid.UUID(int=(k + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, version=4)) for k in range(80)]
    found = Proposed([{"userId": one, "seen": {one: k + 0.5}} for k, one in enumerate(known)])
    assert found.policy["segments"]["masked-s"]["keys"]["seen.*"] == found.rules["userId"]
    assert all(list(record["seen"]) == [record["userId"]] for record in found.view())


def test_keys_of_a_type_have_its_domain():
    """Keys that are addresses get the pseudonyms that addresses have elsewhere."""
    found = Proposed([{"by": {f"p{k}@example.org": {"n": k + 0.25}}} for k in range(60)])
    assert found.policy["segments"]["masked-s"]["keys"]["by.*"]["domain"] == "email"
    assert "@" not in str(found.view()) and "@" not in found.proposal.text


def test_maps_of_which_nothing_is_shown_need_no_rule_for_keys():
    """Where all members are dropped their keys are, too."""
    found = Proposed([{"notes": {f"k-{k}-{k * 7}": {"password": f"Xk39s{k}Qz8!w"}}} for k in range(80)])
    assert "keys" not in found.policy["segments"]["masked-s"] and "notes" not in str(found.view())
