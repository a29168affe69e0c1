"""Reports of batches and stages, as the audit writes and the reconciliation reads them."""

import orjson
import pytest

from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport, FieldReport, MaskedReport, PackedReport, PartsReport, StageReport, read_report
from flink_masking.errors import InputError

BATCH = BatchReport(
    9, {"malformed": 2},
    {"one": MaskedReport(7, {"id": FieldReport("drop"), "mail": FieldReport("partial", 7, 1)}),
     "two": MaskedReport(6, {}, tombstones=1, suppressed=1, parts=PartsReport("pseudonym", {"trace": "drop"}, "keep"), shuffled=True,
                         keys={"attrs.*": "pseudonym"})},
    {"groups": PackedReport(6, 1)})
STAGE = StageReport("groups", "anonymize", {"released": 5, "suppressed": 1})


def test_a_batch_report_is_written_as_audit_events_have_always_been():
    """Names, their order and what is omitted are those of the audits that were written before reports had a type."""
    assert orjson.dumps(BATCH.body()) == (
        b'{"records":9,"quarantined":{"malformed":2},"segments":{'
        b'"one":{"released":7,"fields":{"id":{"technique":"drop"},"mail":{"technique":"partial","values":7,"refused":1}}},'
        b'"two":{"released":6,"fields":{},"tombstones":1,"suppressed":1,'
        b'"record":{"key":"pseudonym","headers":{"trace":"drop"},"timestamp":"keep"},"order":"shuffled","keys":{"attrs.*":"pseudonym"}},'
        b'"groups":{"packed":6,"suppressed":1}}}')
    assert orjson.dumps(STAGE.body()) == b'{"segments":{"groups":{"stage":"anonymize","released":5,"suppressed":1}}}'


def test_a_single_record_has_no_order():
    """A batch with one record in a shuffled view is not told as shuffled, for its place is not hidden."""
    assert "order" not in MaskedReport(1, {}, shuffled=True).body()
    assert MaskedReport(1, {}, tombstones=1, shuffled=True).body()["order"] == "shuffled"


def test_reports_are_read_back_from_the_audit():
    """An event gives the counts that a reconciliation compares; an event of another kind gives none."""
    chain = AuditChain("s", 1, "", 1)
    assert read_report(chain.event("protect", 0, BATCH.body())) == BatchReport(9, {"malformed": 2}, {}, {"groups": PackedReport(6, 1)})
    assert read_report(chain.event("release", 0, STAGE.body())) == STAGE
    assert read_report(chain.event("unmask", 0, {"segment": "one"})) is None


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'"event"', b'{"event":"protect"}', b'{"event":"release","segments":{}}'])
def test_a_line_that_is_no_event_is_refused(line):
    """What is no event of the audit is an input error, never a traceback."""
    with pytest.raises(InputError, match=r"no audit event.*Hint: "):
        read_report(line)
