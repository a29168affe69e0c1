"""Alerts to a real HTTP server, to files, and what becomes of them when the receiver is away, slow, failing or the queue is full."""

import base64
import hashlib
import hmac
import json
import logging
import time
from pathlib import Path

import pytest
from alert_receiver import SECRET, Receiver

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.delivery import Delivery, deliveries
from flink_masking.alerts.files import FileSender
from flink_masking.alerts.load import rules_of
from flink_masking.alerts.refusal import SendError
from flink_masking.alerts.targets import WebhookTarget
from flink_masking.alerts.webhook import WebhookSender
from flink_masking.errors import InputError
from flink_masking.ports import free_ports


@pytest.fixture
def receiver():
    """A server on this machine."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def delivery(receiver, tmp_path):
    """Makes deliveries to the receiver, and ends them."""
    made = []

    def make(most=100, patience=30.0, timeout="5s"):
        (tmp_path / "secret").write_text(SECRET + "\n")
        target = WebhookTarget(webhook=f"http://127.0.0.1:{receiver.port}/hook", secret="${file:secret}", timeout=timeout)
        made.append(Delivery("soc", WebhookSender("soc", target, tmp_path), "/soc", most, patience, 0.02))
        return made[-1]

    yield make
    for one in made:
        one.close()


def alert(number=1):
    """An alert of its own."""
    return Alert("refusals", "quarantined", "warning", 1_774_224_000_000 + number, {"stream": "orders"}, {"count": number})


def until(condition):
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_webhook_gets_a_signed_cloud_event(receiver, delivery):
    """The signature is that of Standard Webhooks: over id, time and body."""
    delivery().put(alert())
    receiver.wait(1)
    _, headers, body = receiver.got[0]
    assert headers["Content-Type"] == "application/cloudevents+json"
    event = json.loads(body)
    assert (event["id"], event["data"]["count"]) == (headers["Webhook-Id"], 1)
    assert abs(int(headers["Webhook-Timestamp"]) - time.time()) < 60
    signed = b".".join([event["id"].encode(), headers["Webhook-Timestamp"].encode(), body])
    code = base64.b64encode(hmac.new(bytes(range(32)), signed, hashlib.sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{code}"
    assert SECRET.encode() not in body


def test_an_alert_is_sent_again_until_it_is_taken(receiver, delivery):
    """Failures of the server are tried again with the same id, in order."""
    receiver.answers = [500, 503, 429]
    sending = delivery()
    sending.put(alert(1))
    sending.put(alert(2))
    until(lambda: sending.sent == 2)
    assert [event["data"]["count"] for event in receiver.taken()] == [1, 2]
    assert len({headers["Webhook-Id"] for _, headers, _ in receiver.got[:4]}) == 1
    assert sending.dropped == 0


def test_an_alert_that_is_refused_is_told(receiver, delivery, caplog):
    """A request that the receiver calls wrong, or a redirect, is not sent again; how many were lost is told with the next one taken."""
    receiver.answers = [400, 302]
    sending = delivery()
    with caplog.at_level(logging.WARNING):
        for number in (1, 2, 3):
            sending.put(alert(number))
        until(lambda: sending.sent == 2)
    told = [(event["type"], event["data"]["count"]) for event in receiver.taken()]
    assert told == [("flink-masking.alert.quarantined", 3), ("flink-masking.alert.dropped", 2)]
    assert receiver.taken()[1]["data"]["target"] == "soc"
    assert "HTTP 400" in caplog.text
    assert SECRET not in caplog.text


def test_a_receiver_that_is_away_gets_the_alerts_when_it_is_back(tmp_path):
    """Nothing is lost while the receiver is away for less than the patience."""
    [port] = free_ports(1)
    (tmp_path / "secret").write_text(SECRET)
    target = WebhookTarget(webhook=f"http://127.0.0.1:{port}/", secret="${file:secret}")
    sending = Delivery("soc", WebhookSender("soc", target, tmp_path), "/soc", 10, 30, 0.02)
    sending.put(alert(1))
    until(lambda: sending._failing)
    back = Receiver(port)
    until(lambda: sending.sent == 1)
    assert [event["data"]["count"] for event in back.taken()] == [1]
    assert sending.close() == 0
    back.close()


def test_a_full_queue_drops_counts_and_tells(receiver, delivery):
    """A slow receiver does not hold up who tells alerts; what found no room is told as a number."""
    receiver.gate.clear()
    sending = delivery(most=3)
    sending.put(alert(0))
    receiver.wait(1)
    begin = time.monotonic()
    for number in range(1, 1_000):
        sending.put(alert(number))
    assert time.monotonic() - begin < 5
    assert sending.dropped == 997
    receiver.gate.set()
    until(lambda: sending.sent == 4)
    assert [event["data"]["count"] for event in receiver.taken()] == [0, 997, 1, 2]


def test_an_answer_that_does_not_come_in_time_is_tried_again(receiver, delivery):
    """A receiver that hangs is given up after the time-out, and asked again."""
    receiver.gate.clear()
    sending = delivery(timeout="100ms")
    sending.put(alert())
    receiver.wait(2)
    receiver.gate.set()
    until(lambda: sending.sent == 1)


def test_the_end_tells_how_many_were_not_sent(delivery, receiver):
    """An end does not wait for a receiver that fails."""
    receiver.answers = [500] * 10_000
    sending = delivery()
    sending.put(alert(1))
    sending.put(alert(2))
    receiver.wait(1)
    assert sending.close() == 2


def test_patience_has_an_end(receiver, delivery):
    """An alert that nobody takes for longer than the patience is dropped and told."""
    receiver.answers = [500] * 3
    sending = delivery(patience=0.03)
    sending.put(alert(1))
    until(lambda: sending.dropped == 1)
    receiver.answers = []
    sending.put(alert(2))
    until(lambda: sending.sent == 2)
    assert [event["type"] for event in receiver.taken()] == ["flink-masking.alert.quarantined", "flink-masking.alert.dropped"]


def test_a_file_gets_a_line_for_each_alert(tmp_path):
    """Lines are appended, to a file that others cannot read."""
    text = "version: 1\nrules: {leaks: {when: leak}}\ntargets: {kept: {file: alerts.jsonl}}"
    (made,) = deliveries(rules_of("rules.yaml", text), tmp_path).values()
    made.put(alert(1))
    made.put(alert(2))
    until(lambda: made.sent == 2)
    assert made.close() == 0
    kept = tmp_path / "alerts.jsonl"
    assert [json.loads(line)["data"]["count"] for line in kept.read_text().splitlines()] == [1, 2]
    assert kept.stat().st_mode & 0o007 == 0


def test_a_full_disk_leaves_no_half_line():
    """An alert that cannot be written is tried again."""
    with pytest.raises(SendError, match="No space left"):
        FileSender(Path("/dev/full")).send(b"{}", "rule")


@pytest.mark.parametrize("secret", ["", "whsec_*", "whsec_AAAA", "short"])
def test_a_weak_secret_is_refused(tmp_path, secret):
    """A secret that could be guessed signs nothing; the message does not show it."""
    (tmp_path / "secret").write_text(secret)
    target = WebhookTarget(webhook="https://soc.example/", secret="${file:secret}")
    with pytest.raises(InputError, match="Hint") as caught:
        WebhookSender("soc", target, tmp_path)
    assert not secret or f" {secret}" not in str(caught.value)
