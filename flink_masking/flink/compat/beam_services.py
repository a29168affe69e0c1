"""Beam's services for Python workers, bound to loopback, and without the one that hands out files.

Replaces two classes of Beam 2.61 as PyFlink 2.3.0 carries them in ``flink-python-2.3.0.jar``; both are made from the installed jar:

``org.apache.beam.sdk.fn.server.ServerFactory$InetSocketAddressServerFactory``
    takes a loopback address, then gives the port only to gRPC, which listens on every interface. It gives the address now. The worker
    is told that address, not ``localhost``, which could be another of the two loopback addresses, with another user's server behind it.
``org.apache.beam.runners.fnexecution.artifact.ArtifactRetrievalService``
    sends any file that this user can read to whoever names it. Its two methods are left out, so that gRPC answers UNIMPLEMENTED: PyFlink's
    workers never call it, they get their files from Flink.

The jar of these two goes before PyFlink's: on the class path of an embedded cluster, and in a job's ``pipeline.jars`` for TaskManagers.
This is a matter of security, so there is no working without it: what does not fit the installed release refuses the job.
"""

import atexit
import functools
import shutil
import tempfile
import zipfile
from pathlib import Path

from flink_masking.errors import JobError
from flink_masking.flink.compat.class_file import ClassFile, ClassFormatError
from flink_masking.flink.compat.patch import Mismatch, require_source
from flink_masking.flink.compat.releases import unknown_release

FACTORY = "org/apache/beam/sdk/fn/server/ServerFactory$InetSocketAddressServerFactory.class"
ARTIFACTS = "org/apache/beam/runners/fnexecution/artifact/ArtifactRetrievalService.class"
SERVICES = "flink-masking-beam-services.jar"
_ADDRESS = "java/net/InetSocketAddress"
_BUILDER = "org/apache/beam/vendor/grpc/v1p60p1/io/grpc/netty/NettyServerBuilder"
_SERVER = "Lorg/apache/beam/vendor/grpc/v1p60p1/io/grpc/Server;"
_OBSERVER = "Lorg/apache/beam/vendor/grpc/v1p60p1/io/grpc/stub/StreamObserver;"
_ARTIFACTS = "org/apache/beam/model/jobmanagement/v1/ArtifactApi$"
_DESCRIPTION = "Lorg/apache/beam/model/pipeline/v1/Endpoints$ApiServiceDescriptor$Builder;"
_VIRTUAL, _STATIC = 0xB6, 0xB8
_LOAD_1, _LOAD_3 = b"\x2b", b"\x2d"


def replaced(server_factory: bytes, artifact_service: bytes) -> tuple[bytes, bytes]:
    """The two classes as they should be.

    Raises:
        ClassFormatError: they are not those of the release that this was written for.
    """
    factory = ClassFile(server_factory)
    factory.replace_code(
        "createServer", f"(Ljava/util/List;L{_ADDRESS};){_SERVER}",
        [_LOAD_1, factory.call(_VIRTUAL, _ADDRESS, "getPort", "()I"), factory.call(_STATIC, _BUILDER, "forPort", f"(I)L{_BUILDER};")],
        [_LOAD_1, factory.call(_STATIC, _BUILDER, "forAddress", f"(Ljava/net/SocketAddress;)L{_BUILDER};")])
    factory.replace_code(
        "allocateAddressAndCreate", f"(Ljava/util/List;{_DESCRIPTION}){_SERVER}",
        [_LOAD_3, factory.call(_VIRTUAL, _ADDRESS, "getHostName", "()Ljava/lang/String;")],
        [_LOAD_3, factory.call(_VIRTUAL, _ADDRESS, "getAddress", "()Ljava/net/InetAddress;"),
         factory.call(_VIRTUAL, "java/net/InetAddress", "getHostAddress", "()Ljava/lang/String;")])  # fmt: skip
    artifacts = ClassFile(artifact_service)
    for method, request in (("resolveArtifacts", "ResolveArtifactsRequest"), ("getArtifact", "GetArtifactRequest")):
        artifacts.without_method(method, f"(L{_ARTIFACTS}{request};{_OBSERVER})V")
    return factory.encode(), artifacts.encode()


@functools.cache
def services_jar() -> Path:
    """The jar of the two classes, in a directory of this process that is removed at its end.

    Raises:
        JobError: the installed PyFlink is an unknown release, or holds other classes.
    """
    if (reason := unknown_release()) is not None:
        raise _refused(reason)
    try:
        with zipfile.ZipFile(python_jar()) as installed:
            classes = replaced(installed.read(FACTORY), installed.read(ARTIFACTS))
    except (OSError, LookupError, zipfile.BadZipFile, ClassFormatError) as error:
        raise _refused(f"{error} in PyFlink's flink-python jar") from None
    place = Path(tempfile.mkdtemp(prefix="flink-masking-jar-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    path = place / SERVICES
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as jar:
        for name, body in zip((FACTORY, ARTIFACTS), classes, strict=True):
            jar.writestr(zipfile.ZipInfo(name), body)
    return path


def python_jar() -> Path:
    """PyFlink's own jar, in the ``opt`` of the installed Flink.

    Raises:
        FileNotFoundError: there is none.
    """
    import pyflink

    found = sorted((Path(pyflink.__file__).parent / "opt").glob("flink-python*.jar"))
    if not found:
        raise FileNotFoundError("there is no flink-python*.jar")
    return found[0]


def put_on_class_path() -> None:
    """Let the Java virtual machine that PyFlink is going to start in this process take the two classes before its own.

    Replaces ``pyflink.pyflink_gateway_server.construct_flink_classpath``. May be called again.

    Raises:
        JobError: the installed PyFlink puts its class path together in another way.
    """
    from pyflink import pyflink_gateway_server as gateway

    before = gateway.construct_flink_classpath
    if hasattr(before, "__wrapped__"):
        return
    try:
        require_source(before, "95a0491df61dc787")
    except Mismatch as error:
        raise _refused(str(error)) from None

    @functools.wraps(before)
    def with_services(env: dict[str, str]) -> str:
        return f"{services_jar()}:{before(env)}"

    gateway.construct_flink_classpath = with_services


def is_on_class_path() -> bool:
    """Whether the Java virtual machine of this process takes the two classes before its own; starts it where it does not run yet."""
    from pyflink.java_gateway import get_gateway

    return SERVICES in str(get_gateway().jvm.java.lang.System.getProperty("java.class.path"))


def _refused(reason: str) -> JobError:
    return JobError(f"Beam's services cannot be bound to this host: {reason}. Hint: install the release of apache-flink that flink-masking "
                    "names")  # fmt: skip
