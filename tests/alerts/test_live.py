"""Alert rules that are published while somebody watches, and alerts that wait for a receiver across restarts."""

import hashlib
import json
import time

import pytest
from alert_receiver import SECRET, Receiver
from control_documents import Signers

from flink_masking.alerts.live import LiveRules
from flink_masking.alerts.load import rules_of
from flink_masking.alerts.logic import AlertLogic
from flink_masking.alerts.watching import Watcher
from flink_masking.alerts.work import Work
from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport
from flink_masking.control.instants import new_id
from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.local import DirectorySource
from flink_masking.keys.ring import KeyRing

T = 1_800_000_000_000
RULES = "version: 1\nsource: /soc\nrules: {refusals: {when: quarantined, above: %d}}\ntargets: {kept: {file: kept.jsonl}}\n"


class Place:
    """A directory with an audit, control documents and a receiver's file; its clock stands still until it is moved."""

    def __init__(self, path):
        """Nothing is published yet."""
        self.path, self.signers, self.now = path, Signers(), T
        self.chain = AuditChain.signed(KeyRing.new(), "orders")
        (path / "control").mkdir()
        self.options = ControlOptions((path / "control").as_uri(), self.signers.trust().decode())
        self.told, self.watching = [], None

    def publish(self, version, text, by=("paula",), stream="/soc", effective=None):
        """Publish rules."""
        from flink_masking.control.bodies import AlertsBody

        body = AlertsBody(id=new_id(self.now), stream=stream, issued_at=self.now, effective_at=effective or self.now, version=version,
                          name="alerts.yaml", text=text, digest=hashlib.sha256(text.encode()).hexdigest())
        DirectorySource(self.path / "control").publish(body.id, self.signers._signed("alerts", body, by))
        return body.id

    def refused(self, count):
        """The lines of a batch in which records went to the quarantine."""
        return [self.chain.event("protect", self.now, BatchReport(1_000, {"contract": count}).body())]


@pytest.fixture
def place(tmp_path):
    """A place of its own."""
    return Place(tmp_path)


def live(place, kept=None):
    """Live rules that begin with a limit of 100."""
    made = LiveRules(rules_of("alerts.yaml", RULES % 100), place.options, kept, lambda: place.now)
    made.look()
    return made


def facts(alerts):
    """Outcome, version and beginning of the reason."""
    return [(one.names["outcome"], one.numbers.get("version"), one.names.get("reason", "").partition(".")[0]) for one in alerts]


def test_rules_take_effect_at_their_time_and_windows_go_on(place):
    """A published limit holds from its instant on, for what the window has counted before; an alert tells that it is in force."""
    rules = live(place)
    logic = AlertLogic(rules.rules)
    assert logic.take(place.refused(60), place.now) == []
    place.publish(1, RULES % 50, effective=T + 1_000)
    rules.look()
    assert rules.follow(logic, T + 999) == (logic, [])
    place.now = T + 1_000
    changed, alerts = rules.follow(logic, place.now)
    assert facts(alerts) == [("in_force", 1, "")] and alerts[0].cloud_event("/soc")
    (alert,) = changed.take(place.refused(1), place.now)
    assert alert.numbers["count"] == 61
    assert rules.follow(changed, place.now + 1) == (changed, [])


@pytest.mark.parametrize(("version", "text", "by", "reason"), [
    (2, RULES % 50 + "more: 1\n", ("paula",), "line 5: unknown key 'more'"),
    (2, RULES.replace("kept.jsonl", "other.jsonl") % 50, ("paula",), "targets: they cannot change live"),
    (2, RULES.replace("/soc", "/other") % 50, ("paula",), "'source' of the rules is not that of the document"),
    (1, RULES % 50, ("paula",), "version 1 is not higher than version 1, which is in force"),
    (2, RULES % 50, ("ann",), "alerts ID: not signed by the role policy (0 of 1 signatures)"),
])
def test_rules_that_cannot_be_taken_leave_the_old_ones_in_force(place, version, text, by, reason, caplog):
    """Faults, other targets, an old version, a wrong signer: the rules in force stay, and an alert and the log say why, once."""
    rules = live(place)
    place.publish(1, RULES % 70)
    rules.look()
    logic, _ = rules.follow(AlertLogic(rules.rules), place.now)
    name = place.publish(version, text, by)
    for _ in range(2):
        rules.look()
    after, alerts = rules.follow(logic, place.now)
    assert after is logic and facts(alerts) == [("refused", alerts[0].numbers.get("version"), reason.replace("ID", name))]
    assert (alerts[0].severity, alerts[0].rule) == ("critical", "alert-rules") and "refused" in caplog.text
    assert rules.rules.rules["refusals"].above == 70


def test_documents_of_others_are_no_news(place):
    """Rules for another watcher and policies have no effect here and are not told; without targets, the watcher's own stay."""
    rules = live(place)
    place.publish(7, RULES.replace("/soc", "/other") % 1, stream="/other")
    DirectorySource(place.path / "control").publish("v2", place.signers.policy(2, stream="/soc"))
    place.publish(1, RULES.partition("targets")[0] % 70)
    rules.look()
    _, alerts = rules.follow(AlertLogic(rules.rules), place.now)
    assert facts(alerts) == [("in_force", 1, "")]
    assert (rules.rules.rules["refusals"].above, list(rules.rules.targets)) == (70, ["kept"])


def test_a_job_takes_no_alert_rules_for_a_policy(place):
    """To whoever follows policies, rules under the same stream are nothing."""
    from flink_masking.control.state import ControlState
    from flink_masking.control.trust import Trust

    place.publish(2, RULES % 50, stream="s")
    state = ControlState(Trust.anchor(place.options.trust.encode()), "s", 1, "")
    assert state.take(DirectorySource(place.path / "control").read(), T) == []
    assert state.view.policies == () and state.view.erasures == ()


def test_published_rules_survive_a_restart_and_cannot_be_undone(place):
    """The state keeps the rules in force while their document is away; an older one that comes then is refused."""
    rules = live(place)
    place.publish(5, RULES % 50)
    rules.look()
    rules.follow(AlertLogic(rules.rules), place.now)
    rules.look()
    kept = rules.state()
    for file in (place.path / "control").iterdir():
        file.unlink()
    place.publish(4, RULES % 900)
    again = live(place, kept)
    _, alerts = again.follow(AlertLogic(again.rules), place.now)
    assert again.rules.rules["refusals"].above == 50 and ("in_force", 5, "") in facts(alerts)


def test_a_watch_of_files_follows_published_rules(place):
    """`alerts watch --control` takes them between two looks and keeps them in its state."""
    file, state, told = place.path / "audit.jsonl", place.path / "state.json", []
    file.touch()
    options = {"state": state, "clock": lambda: place.now, "control": place.options, "folder": place.path}
    watch = Watcher(rules_of("alerts.yaml", RULES % 100), [file], told.append, **options)
    place.publish(1, RULES % 50)
    watch._live.look()
    file.write_bytes(b"".join(line + b"\n" for line in place.refused(60)))
    watch.look()
    watch._live.look()
    assert [alert.rule for alert in told] == ["alert-rules", "refusals"] and watch.close(5.0) == {}
    assert [json.loads(line)["subject"] for line in (place.path / "kept.jsonl").read_text().splitlines()] == ["alert-rules", "refusals"]
    again = Watcher(rules_of("alerts.yaml", RULES % 100), [file], told.append, **options)
    again.look()
    assert again._live.rules.rules["refusals"].above == 50
    again.close(5.0)


def test_alerts_that_wait_are_sent_after_a_restart_under_the_same_id(tmp_path):
    """What a receiver did not take is in the state, and whoever goes on from it sends it; what was taken is not sent again."""
    receiver = Receiver()
    receiver.answers = [204] + [503] * 1_000
    (tmp_path / "secret").write_text(SECRET)
    hook = f"{{webhook: 'http://127.0.0.1:{receiver.port}/', secret: '${{file:{tmp_path}/secret}}', timeout: 5s}}"
    rules = rules_of("alerts.yaml", f"version: 1\nrules: {{unmasking: {{when: reverse}}}}\ntargets: {{soc: {hook}}}\n")
    chain = AuditChain.signed(KeyRing.new(), "orders")
    lines = [chain.event("unmask", T, {"actor": actor, "purpose": "x", "outcome": "begun"}) for actor in ("eve", "mallory", "trudy")]
    work = Work(rules, None)
    alerts = work.step(lines, T, False)
    receiver.wait(2)
    end = time.monotonic() + 30
    while (unsent := work.changed()[0]) is None or len(json.loads(unsent)["soc"][0]) != 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    logic = work.logic.state()
    receiver.answers.clear()  # the first process is gone, as if it had been killed: its threads are left to themselves
    work._outbox._targets["soc"]._ended = True
    again = Work(rules, None, logic, unsent)
    assert again.step([], T + 1, False) == []
    end = time.monotonic() + 30
    while again.changed()[0] != b"{}":
        assert time.monotonic() < end
        time.sleep(0.01)
    again.close()
    ids = [json.loads(alert.cloud_event("/flink-masking"))["id"] for alert in alerts]
    assert {event["id"] for event in receiver.taken()} == set(ids)
    assert [event["id"] for event in receiver.taken()].count(ids[0]) == 1
    receiver.close()


SILENT = RULES % 1_000_000_000


def document(place, by=(), stream="/soc", effective=T, text=SILENT):
    """An envelope with rules, as somebody might write it into a state."""
    from flink_masking.control.bodies import AlertsBody

    made = AlertsBody(id=new_id(T), stream=stream, issued_at=T, effective_at=effective, version=1_000_000_000, name="a.yaml", text=text,
                      digest=hashlib.sha256(text.encode()).hexdigest())
    return place.signers._signed("alerts", made, by)


FORGED = {
    "nobody": lambda place: {"policy": document(place)},
    "another role": lambda place: {"policy": document(place, by=("ann",))},
    "for another watcher": lambda place: {"policy": document(place, by=("paula",), stream="/other", text=SILENT.replace("/soc", "/other"))},
    "another kind": lambda place: {"policy": place.signers.policy(10**9, stream="/soc")},
    "not yet in effect": lambda place: {"policy": document(place, by=("paula",), effective=T + 60_000)},
    "no envelope": lambda place: {"policy": b"{}"},
    "a trust file of one's own": lambda place: {
        "policy": document(place, by=("mallory",)), "trust_version": 9,
        "trust": place.signers.trust(9, ("mallory",), roles={"root": ("mallory",), "policy": ("mallory",)})},
    "a version alone": lambda place: {},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_state_that_somebody_wrote_puts_no_rules_in_force(place, forged, caplog):
    """Rules of a state that their signatures do not vouch for are told and passed over: submitted and published ones hold."""
    from dataclasses import replace

    from flink_masking.control.memory import Kept

    body = forged(place)
    kept = replace(Kept(version=1_000_000_000), **body).dump()
    rules = live(place, kept)
    _, alerts = rules.follow(AlertLogic(rules.rules), place.now)
    assert rules.rules.rules["refusals"].above == 100
    told = [(alert.names["outcome"], alert.severity, alert.rule) for alert in alerts]
    assert set(told) == ({("refused", "critical", "alert-rules")} if body else set())
    assert all("state" in alert.names["reason"] and "Hint:" in alert.names["reason"] for alert in alerts)
    assert ("refused" in caplog.text) is bool(body) and SILENT not in caplog.text
    place.publish(2, RULES % 50)
    rules.look()
    rules.follow(AlertLogic(rules.rules), place.now)
    assert rules.rules.rules["refusals"].above == 50
    rules.look()
    after = json.loads(rules.state())
    assert (after["version"], after["trust_version"], after["trust"]) == (2, 0, None)


def test_a_state_file_that_somebody_wrote_does_not_silence_the_watch(place):
    """With forged rules in the file of `--state` the refusals are told as before."""
    import base64

    file, state, told = place.path / "audit.jsonl", place.path / "state.json", []
    file.touch()
    options = {"state": state, "clock": lambda: place.now, "control": place.options}
    watch = Watcher(rules_of("alerts.yaml", RULES % 100), [file], told.append, **options)
    watch.look()
    watch.close(5.0)
    body = json.loads(state.read_bytes())
    rules = json.loads(body["rules"])
    body["rules"] = json.dumps(rules | {"version": 10**9, "policy": base64.b64encode(document(place)).decode()})
    state.write_text(json.dumps(body))
    file.write_bytes(b"".join(line + b"\n" for line in place.refused(160)))
    again = Watcher(rules_of("alerts.yaml", RULES % 100), [file], told.append, **options)
    again.look()
    again.close(5.0)
    assert [(alert.rule, alert.severity) for alert in told] == [("alert-rules", "critical"), ("refusals", "warning")]


@pytest.mark.parametrize("withheld", ["revoked", "withdrawn"])
def test_a_state_that_somebody_wrote_holds_no_published_rules_back(place, withheld):
    """That a document was revoked or withdrawn is taken from its signed revocation and from the source, not from a list of ids."""
    rules = live(place)
    name = place.publish(3, RULES % 50)
    kept = json.loads(rules.state())
    again = live(place, json.dumps(kept | {withheld: [name]}).encode())
    again.follow(AlertLogic(again.rules), place.now)
    assert again.rules.rules["refusals"].above == 50


def test_a_revocation_that_the_source_no_longer_has_holds_after_a_restart(place):
    """Rules that were revoked before their time do not come back when the source forgets that and the watcher is restarted."""
    from flink_masking.control.bodies import RevocationBody

    rules, control = live(place), DirectorySource(place.path / "control")
    name = place.publish(3, RULES % 900, effective=T + 60_000)
    over = RevocationBody(id=new_id(T), stream="/soc", issued_at=T, effective_at=T, target=name, of="alerts", reason="wrong limit")
    control.publish(over.id, place.signers._signed("revocation", over, ("paula",)))
    rules.look()
    (place.path / "control" / f"{over.id}.json").unlink()
    place.now += 60_000
    again = live(place, rules.state())
    again.follow(AlertLogic(again.rules), place.now)
    assert again.rules.rules["refusals"].above == 100


@pytest.mark.parametrize("roots", [("root",), ("root", "other")], ids=["one root", "a root that changes"])
def test_rules_of_a_signer_that_was_replaced_hold_after_a_restart(place, roots):
    """The state keeps the trust files one after the other: each vouches for the next, and one of them for the rules."""
    signers, control = place.signers, DirectorySource(place.path / "control")
    rules = live(place)
    place.publish(1, RULES % 70)
    rules.look()
    rules.follow(AlertLogic(rules.rules), place.now)
    last = roots[-1]
    control.publish("t2", signers.trust(2, tuple(dict.fromkeys(("root", last))), roles={"root": (last,), "policy": ("peter",)}))
    control.publish("t3", signers.trust(3, (last,), roles={"root": (last,), "policy": ("peter", "petra")}))
    rules.look()
    place.publish(2, RULES % 50, ("petra",))
    place.publish(3, RULES % 900)
    rules.look()
    _, alerts = rules.follow(AlertLogic(rules.rules), place.now)
    assert ("in_force", 2) in [fact[:2] for fact in facts(alerts)]
    rules.look()
    kept = rules.state()
    for file in (place.path / "control").iterdir():
        file.unlink()
    again = live(place, kept)
    _, alerts = again.follow(AlertLogic(again.rules), place.now)
    assert again.rules.rules["refusals"].above == 50 and json.loads(again.state())["trust_version"] == 3
    assert [fact[:2] for fact in facts(alerts)] == [("in_force", 2)]
    place.publish(4, RULES % 900)
    again.look()
    _, alerts = again.follow(AlertLogic(again.rules), place.now)
    assert [fact[:2] for fact in facts(alerts)] == [("refused", None)]


def test_a_state_of_an_earlier_version_goes_on_as_far_as_it_proves_itself(place):
    """Without the trust files between, the last one counts where the deployment's own root has signed it, and no signer of another."""
    signers, control = place.signers, DirectorySource(place.path / "control")
    for roots, held in ((("root",), 50), (("other",), 100)):
        rules = live(place)
        control.publish("t2", signers.trust(2, ("root", *roots), roles={"root": roots, "policy": ("paula",)}))
        control.publish("t3", signers.trust(3, roots, roles={"root": roots, "policy": ("petra",)}))
        rules.look()
        place.publish(2, RULES % 50, ("petra",))
        rules.look()
        rules.follow(AlertLogic(rules.rules), place.now)
        rules.look()
        kept = json.loads(rules.state())
        assert (kept["version"], len(kept.pop("chain"))) == (2, 2)
        for file in (place.path / "control").iterdir():
            file.unlink()
        again = live(place, json.dumps(kept).encode())
        again.follow(AlertLogic(again.rules), place.now)
        assert again.rules.rules["refusals"].above == held
