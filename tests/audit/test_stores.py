"""A log in an object store: S3, as moto's server has it."""

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sealed_logs import RING, SIGNER, batches

from flink_masking.audit.entries import expire_leaves, read_entries
from flink_masking.audit.events import is_leaves
from flink_masking.audit.sealer import Sealer
from flink_masking.audit.stores import Directory, ObjectStore, WebServer, open_store
from flink_masking.audit.verify import verify
from flink_masking.errors import InputError


@pytest.fixture(scope="module")
def s3():
    """Address of a server with a bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", aws_access_key_id="test",
                 aws_secret_access_key="test").create_bucket(Bucket="audit")
    yield f"{host}:{port}"
    server.stop()


def test_a_log_in_s3_is_sealed_and_verified_like_a_directory(s3, tmp_path):
    """Sealing in rounds, another sealer, a state that is lost, and expiry of leaf hashes work on objects as on files."""
    address = f"s3://test:test@audit/orders?endpoint_override={s3}&scheme=http&region=us-east-1"
    _, lines = batches(300, 2)
    for state, mine in (("a", lines[:300]), ("a", lines[300:]), ("b", lines)):
        with Sealer(open_store(address), SIGNER, tmp_path / state) as sealer:
            sealer.seal(mine, {})
    store = open_store(address)
    found = verify(store, [SIGNER.verifier], ring=RING)
    assert isinstance(store, ObjectStore) and found.faults == [] and found.untraced == 0
    assert list(read_entries(store, found.checkpoint.size)) == [line for line in lines if not is_leaves(line)]
    assert expire_leaves(store, "2999-01-01T00:00:00.000Z") == 3 and store.names("leaves") == []


def test_addresses_say_what_kind_of_store_it_is(tmp_path):
    """Paths and file:// are directories, http(s):// is read only, what nobody knows is an error with a hint."""
    assert isinstance(open_store(str(tmp_path)), Directory) and isinstance(open_store(tmp_path.as_uri()), Directory)
    web = open_store("https://audit.example.com/log")
    assert isinstance(web, WebServer)
    with pytest.raises(InputError, match="only read"):
        web.write("checkpoint", b"")
    with pytest.raises(InputError, match=r"Hint: a directory"):
        open_store("nothing://x/y")
