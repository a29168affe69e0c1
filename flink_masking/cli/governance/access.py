"""Steps of the demonstration: a policy changes, a grant opens single records for a while, and alerts tell of both."""

import base64
import json
import re

from flink_masking.cli.governance.world import PASSPHRASE, SUBJECT, World

_EMAIL = {"1": re.compile(r"[jp]\*+@example\.com"), "2": re.compile(r"\*+")}
"""What each version of the policy makes of an e-mail address."""


def people(world: World) -> None:
    """Identities, and whose signatures count."""
    stage = world.stage
    stage.chapter("People: each has a key of their own; the trust file says whose signature counts for what")
    roles = {"root": "root", "paula": "policy", "alice": "approver", "bob": "approver", "eve": "eraser"}
    for owner in roles:
        stage.command("identity", "new", f"{owner}.key", "--owner", owner, *PASSPHRASE)
    added = [part for owner, role in roles.items() for part in ("--add", f"{role}={owner}.key.pub")]
    stage.command("control", "trust", "new", "trust.json", *added, "--as", "root.key", *PASSPHRASE)
    log = stage.command("audit", "key", "log.key", "--name", "audit.example.com/customer-events")
    (stage.place / "log.vkey").write_text(log)


def start(world: World) -> None:
    """The main job and the one that watches it."""
    stage = world.stage
    stage.chapter("Two Flink jobs on a Kafka broker: the main job, and alerts")
    stage.job("main", "jobs.fan_out", "--policy", "policy.yaml", "--deployment", "deployment.yaml")
    stage.job("alerts", "jobs.watch", "--rules", "alerts.yaml", "--deployment", "deployment.yaml")
    world.feed()
    stage.until("the first records are in the shared view", lambda: len(world.records("support")) >= len(world.given))
    world.show("topic support: what the support team sees", world.records("support")[:2])
    stage.must(not world.records("debug-support"), "without a grant nothing is in topic debug-support")


def change_policy(world: World) -> None:
    """Version 2 redacts e-mail addresses; every record is made by exactly one version."""
    stage = world.stage
    stage.chapter("(a) The policy changes while the job runs")
    stage.command("policy", "diff", "policy.yaml", "policy-2.yaml")
    stage.command("policy", "publish", "policy-2.yaml", "deployment.yaml", "--as", "paula.key", "--against", "policy.yaml", *PASSPHRASE)
    world.feed_until("records of version 2", lambda: any(one.headers["policy_version"] == "2" for _, one in world.records("support")))
    world.all_arrived()
    found = world.records("support")
    by_version = {version: [one for one in found if one[1].headers["policy_version"] == version] for version in ("1", "2")}
    for version, records in by_version.items():
        world.show(f"version {version} made {len(records)} records, such as", records[-1:])
    stage.must(whole(world), f"{len(found)} records: none is lost, doubled or half-old; each is what the version in its header makes")


def whole(world: World) -> bool:
    """Whether each event is once in the shared view, and looks as the version in its header says."""
    found = world.records("support")
    true = all(_EMAIL[record.headers["policy_version"]].fullmatch(body["email"]) for body, record in found)
    return true and [body["order"] for body, _ in found] == sorted({body["order"] for body, _ in found})


def grant(world: World) -> None:
    """A grant is asked for, refused, approved, used, and over."""
    stage, seconds = world.stage, round(15 + 8 * world.stage.slowest)
    stage.chapter("(b) A grant opens single records for a while")
    stage.command("grant", "request", "policy-2.yaml", "--segment", "debug-support", "--fields", "name", "--subject", SUBJECT, "--keys",
                  "file://keys.json", "--for", "1h", "--reason", "curious", "--requester", "alice", refused="may_show")
    stage.command("grant", "request", "policy-2.yaml", "--segment", "debug-support", "--fields", "email,ssn", "--subject", SUBJECT,
                  "--keys", "file://keys.json", "--for", f"{seconds}s", "--reason", "ticket 4711: mail does not arrive", "--requester",
                  "alice", "--output", "g.json")
    stage.command("grant", "approve", "g.json", "--as", "alice.key", "--yes", *PASSPHRASE, refused="alice has requested it")
    stage.command("grant", "publish", "g.json", "deployment.yaml", refused="signature")
    stage.command("grant", "approve", "g.json", "--as", "bob.key", "--yes", "--policy", "policy-2.yaml", *PASSPHRASE, shown=False)
    stage.command("grant", "publish", "g.json", "deployment.yaml")
    first = len(world.given)
    world.feed_until("records in topic debug-support", lambda: len(world.records("debug-support")) >= 3)
    world.show("topic debug-support: what alice sees now", world.records("debug-support")[:1])
    [told] = world.events("in_force", "grant")
    stage.say(f"  waiting for its end, {seconds} s after it was asked for")
    world.feed_until("the grant has ended", lambda: bool(world.events("ended", "grant")))
    after = len(world.given)
    for _ in range(3):
        world.feed()
    world.all_arrived()
    world.feed()  # one checkpoint more: whatever a view was going to get is there
    world.all_arrived()
    shown = world.records("debug-support")
    of_subject = world.records("debug-support", lambda event: event["customerId"] == SUBJECT)
    stage.must(len(shown) == len(of_subject) and all(record.headers["grants"] == told["id"] for _, record in shown),
               f"{len(shown)} records have been shown, all of {SUBJECT}, each with the grant's id in its header")
    stage.must(all(first <= body["order"] < after for body, _ in shown), f"of the {(len(world.given) - after) // 10} records of "
               f"{SUBJECT} after the end none is in debug-support")
    stage.must(whole(world), f"the shared view has not changed: all its {len(world.given)} records are masked as before")


def alert(world: World) -> None:
    """A forged grant has no effect, and alerts tell of all that has happened."""
    stage = world.stage
    stage.chapter("(c) Alerts, received by a webhook")
    envelope = json.loads((stage.place / "g.json").read_text())
    body = json.loads(base64.b64decode(envelope["payload"]))
    body |= {"expires_at": "2099-01-01T00:00:00Z", "id": body["id"][:-4] + "0000"}
    envelope["payload"] = base64.b64encode(json.dumps(body).encode()).decode()
    (stage.place / "control" / "forged.json").write_text(json.dumps(envelope))
    stage.say("  somebody puts a copy of the grant into the source, with another end: control/forged.json")
    world.feed_until("the job refuses the forged grant", lambda: bool(world.alerts("document-refused")))
    wanted = [("policy-changed", {}), ("grant-in-force", {"outcome": "in_force"}), ("grant-used", {}), ("document-refused", {})]
    stage.until("all alerts", lambda: all(world.alerts(rule, **names) for rule, names in wanted))
    for request in list(world.receiver.requests):
        data = json.loads(request.body)["data"]
        told = ", ".join(f"{name}={value}" for name, value in data.items() if name not in ("rule", "severity", "stream"))
        stage.say(f"  {data['severity']:<8} {data['rule']}: {told}")
    before = len(world.records("debug-support"))
    world.feed()
    world.all_arrived()
    stage.must(len(world.records("debug-support")) == before, "the forged grant opens nothing")
    stage.must(world.receiver.refused == 0, f"the signatures (HMAC-SHA-256) of all {len(world.receiver.requests)} alerts verify")
    changed = world.receiver.requests[0]
    changed = changed._replace(body=changed.body.replace(b'"count":1', b'"count":0', 1))
    stage.must(not world.receiver.verifies(changed), "an alert with another count does not verify")
