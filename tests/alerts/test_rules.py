"""Rules in YAML: every fault has its line, its column and a hint."""

import pytest

from flink_masking.alerts.load import AlertFaults, rules_of

GOOD = """version: 1
every: 10min
rules:
  refusals:
    when: quarantined
    share_above: 0.01
    within: 1min
  unmasking: {when: reverse, without_grant: true, severity: critical}
targets:
  soc: {webhook: "https://soc.example/hook", secret: "${env:HOOK}"}
  kept: {file: /var/log/alerts.jsonl}
  bus: {kafka: {topic: alerts, properties.bootstrap.servers: "127.0.0.1:9092"}}
"""


def test_good_rules_are_read():
    """Durations are milliseconds, and defaults are filled in."""
    rules = rules_of("rules.yaml", GOOD)
    assert (rules.every, rules.rules["refusals"].within, rules.rules["unmasking"].severity) == (600_000, 60_000, "critical")
    assert [type(target).__name__ for target in rules.targets.values()] == ["WebhookTarget", "FileTarget", "KafkaTarget"]


@pytest.mark.parametrize(("change", "place", "message", "hint"), [
    (("when: quarantined", "when: quarantine"), "5:11", "'quarantine' is nothing that rules can watch", "quarantined"),
    (("    when: quarantined\n", ""), "4:3", "'when' is missing in 'refusals'", "known: quarantined"),
    (("share_above: 0.01", "share_abov: 0.01"), "6:5", "unknown key 'share_abov'", "share_above"),
    (("    share_above: 0.01\n", ""), "4:3", "'refusals' has no limit", "share_above: 0.01"),
    (("share_above: 0.01", "share_above: 3"), "6:18", "'share_above' must be less than 1", "such as share_above"),
    (("within: 1min", "within: a minute"), "7:13", "'within' is not a duration", "1min"),
    (("severity: critical", "severity: high"), "8:61", "'severity' has no such choice", "critical"),
    (("https://soc", "http://soc"), "10:18", "'webhook': would go without TLS", "https://"),
    (("https://soc", "https://u:p@soc"), "10:18", "'webhook': holds a login", "signature"),
    (("${env:HOOK}", "hunter2hunter2hunter2"), "10:54", "'secret': stands here in clear", "${env:NAME}"),
    (("127.0.0.1", "broker"), "12:16", "'kafka': would go without TLS", "SASL_SSL"),
    (("file: /var", "fil: /var"), "11:3", "'kept' says not where alerts go", "file: /path"),
    (("version: 1", "version: 2"), "1:10", "'version' must be 1", "version: 1"),
    (("  unmasking:", "  un masking:"), "8:3", "'un masking' has a character", "letters"),
])
def test_every_fault_has_its_place_and_a_hint(change, place, message, hint):
    """Faults are told as those of policies, without the values that are secrets."""
    assert change[0] in GOOD
    with pytest.raises(AlertFaults) as caught:
        rules_of("rules.yaml", GOOD.replace(*change))
    (fault,) = caught.value.faults
    assert f"{fault.line}:{fault.column}" == place, fault
    assert message in fault.message
    assert hint in fault.hint
    assert "hunter2" not in str(caught.value)
