"""Whoever tries the doors of a running job: by another address of this machine, and by loopback as another user would."""

import concurrent.futures
import contextlib
import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import grpc
from apache_beam.portability.api.org.apache.beam.model.job_management.v1 import beam_artifact_api_pb2, beam_artifact_api_pb2_grpc
from apache_beam.portability.api.org.apache.beam.model.pipeline.v1 import beam_runner_api_pb2
from sockets import Listening

_PATIENCE = 60
"""Seconds until a service that says nothing counts as silent: the machine may be busy."""
_TRUSTING = ssl._create_unverified_context()


class Found(NamedTuple):
    """What the doors gave.

    Attributes:
        foreign: ports that answered at another address of this machine.
        artifacts: what each gRPC service of the job said when it was asked for a file, in gRPC's word; OK where it sent some.
        stolen: whether a service sent what the file holds.
        requests: statuses, by request, of an endpoint that was asked without a certificate, in clear and by TLS.
    """

    foreign: set[int]
    artifacts: list[str]
    stolen: bool
    requests: dict[str, int]


def other_addresses() -> list[str]:
    """IPv4 addresses of this machine beyond loopback; there may be none."""
    said = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    return [address for address in said if ":" not in address]


def intrude(doors: Iterable[Listening], secret: Path) -> Found:
    """Try every listening socket.

    Args:
        doors: of the job's processes.
        secret: a file that nobody but this user may read.
    """
    ports = sorted({door.port for door in doors if door.program == "java"})
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        foreign = {port for port, open_ in zip(ports, pool.map(_answers, ports), strict=True) if open_}
        said = list(pool.map(artifact, ports, [secret] * len(ports)))
        # Beam's services wait for what they take for a slow worker, and the job's own then waits for them.
        rest = [port for port, (code, _) in zip(ports, said, strict=True) if code == "UNAVAILABLE"]
        asked = [item for found in pool.map(_requests, rest) for item in found]
    codes = [code for code, _ in said if code != "UNAVAILABLE"]
    return Found(foreign, codes, any(secret.read_bytes() in body for _, body in said), dict(asked))


def _answers(port: int) -> bool:
    for address in other_addresses():
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=_PATIENCE):
            return True
    return False


def artifact(port: int, path: Path) -> tuple[str, bytes]:
    """The status and what was sent; UNAVAILABLE where no gRPC server listens."""
    payload = beam_runner_api_pb2.ArtifactFilePayload(path=str(path)).SerializeToString()
    wanted = beam_runner_api_pb2.ArtifactInformation(type_urn="beam:artifact:type:file:v1", type_payload=payload)
    request = beam_artifact_api_pb2.GetArtifactRequest(artifact=wanted)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = beam_artifact_api_pb2_grpc.ArtifactRetrievalServiceStub(channel)
        try:
            return "OK", b"".join(part.data for part in stub.GetArtifact(request, timeout=_PATIENCE, metadata=[("worker_id", "1-1")]))
        except grpc.RpcError as error:
            return error.code().name, b""


def _requests(port: int) -> list[tuple[str, int]]:
    """Statuses of requests to Flink's endpoint; none where nobody answers."""
    found = []
    for method, path in (("POST", "/jars/upload"), ("POST", "/jobs"), ("PATCH", f"/jobs/{'0' * 32}?mode=cancel"), ("GET", "/jobs")):
        for connection in (http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE),
                           http.client.HTTPSConnection("127.0.0.1", port, timeout=_PATIENCE, context=_TRUSTING)):
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request(method, path)
                found.append((f"{type(connection).__name__} {method} {path}", connection.getresponse().status))
            connection.close()
    return found
