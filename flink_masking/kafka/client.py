"""Kafka's Java clients from the connector's jar, called through PyFlink's gateway: the same clients as the job's."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from flink_masking.errors import JobError
from flink_masking.flink.gateway import Py4JError, Py4JJavaError, java_array, virtual_machine

TIMEOUT = 10_000
"""Milliseconds that a broker gets to answer."""
_PACKAGES = ("org.apache.flink.kafka.shaded.org.apache.kafka", "org.apache.kafka")
"""Where the clients are in a connector's jar: shaded in those for SQL, by their own name beside the others."""
_Value = TypeVar("_Value")


@functools.cache
def _loader(addresses: tuple[str, ...]) -> Any:
    """A class loader of these jars on top of Flink's, one for the whole process: py4j tells classes apart by name only."""
    jvm = virtual_machine()
    urls = [jvm.java.net.URL(address) for address in addresses]
    return jvm.java.net.URLClassLoader(java_array(jvm.java.net.URL, urls), jvm.Thread.currentThread().getContextClassLoader())


class KafkaClientError(Exception):
    """An exception of a Java client: classes and messages of its chain of causes. Messages may hold secrets: never show them."""

    def __init__(self, chain: Sequence[tuple[str, str]]) -> None:
        """Hold the chain.

        Args:
            chain: simple class name and message of each throwable, the outermost first.
        """
        super().__init__(" <- ".join(name for name, _ in chain))
        self.chain = tuple(chain)

    def has(self, *names: str) -> bool:
        """Whether one of the classes is in the chain."""
        return any(name in names for name, _ in self.chain)

    def says(self, words: str) -> bool:
        """Whether these words are in a message of the chain."""
        return any(words.lower() in message.lower() for _, message in self.chain)


class KafkaClients:
    """The client classes of one class loader."""

    def __init__(self, jars: Iterable[Path] = ()) -> None:
        """Load them; the Java virtual machine is started if need be.

        Args:
            jars: that hold the connector; nothing where Flink has it already.

        Raises:
            JobError: there are no Kafka clients in the jars nor in Flink.
        """
        self._jvm = virtual_machine()
        self._loader = _loader(tuple(jar.resolve().as_uri() for jar in jars))
        for package in _PACKAGES:
            with suppress(Py4JJavaError):
                self._loader.loadClass(f"{package}.clients.admin.Admin")
                self._package = package
                return
        raise JobError("Flink has no Kafka connector. Hint: omit jars: in the deployment, so that the job takes one along, or put "
                       "flink-sql-connector-kafka into Flink's lib folder")

    def name(self, name: str) -> str:
        """The full name of a class of ``org.apache.kafka``, such as ``common.acl.AclOperation``."""
        return f"{self._package}.{name}"

    def load(self, name: str) -> Any:
        """The ``java.lang.Class`` of that name."""
        return self._loader.loadClass(self.name(name))

    def new(self, name: str, parameters: Sequence[Any] = (), arguments: Sequence[Any] = ()) -> Any:
        """An object of a class.

        Args:
            name: of the class.
            parameters: classes of the constructor's parameters.
            arguments: its arguments.
        """
        constructor = self.load(name).getConstructor(java_array(self._jvm.Class, parameters))
        return constructor.newInstance(java_array(self._jvm.Object, arguments))

    def static(self, name: str, method: str, parameters: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """What a static method returns; arguments as for `new`."""
        found = self.load(name).getMethod(method, java_array(self._jvm.Class, parameters))
        return found.invoke(None, java_array(self._jvm.Object, arguments))

    def java(self, name: str) -> Any:
        """The ``java.lang.Class`` of a class that is not Kafka's."""
        return self._loader.loadClass(name)

    def list(self, items: Iterable[Any]) -> Any:
        """A Java list of texts or Java objects."""
        found = self._jvm.java.util.ArrayList()
        for item in items:
            found.add(item)
        return found

    def properties(self, settings: Mapping[str, str]) -> Any:
        """Java properties."""
        found = self._jvm.java.util.Properties()
        for name, value in settings.items():
            found.setProperty(name, value)
        return found

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Set the thread's class loader, by which clients find login modules and serializers."""
        thread = self._jvm.Thread.currentThread()
        before = thread.getContextClassLoader()
        thread.setContextClassLoader(self._loader)
        try:
            yield
        finally:
            thread.setContextClassLoader(before)

    def call(self, action: Callable[[], _Value]) -> _Value:
        """Call an action on clients with the class loader that it needs.

        Raises:
            KafkaClientError: Java has thrown.
        """
        try:
            with self._at_work():
                return action()
        except Py4JJavaError as error:
            raise KafkaClientError(_chain(error.java_exception)) from None
        except Py4JError as error:
            raise KafkaClientError([(type(error).__name__, "")]) from None

    def initialise_transactions(self, settings: Mapping[str, str], timeout: int = TIMEOUT) -> None:
        """Initialise the transactions of a producer and close it.

        Args:
            settings: of the producer, ``transactional.id`` among them.
            timeout: milliseconds.

        Raises:
            KafkaClientError: the broker refuses, or does not answer.
        """
        serializer = self.name("common.serialization.ByteArraySerializer")
        whole = {**settings, "key.serializer": serializer, "value.serializer": serializer, "max.block.ms": str(timeout)}

        def action() -> None:
            producer = self.new("clients.producer.KafkaProducer", [self.java("java.util.Properties")], [self.properties(whole)])
            try:
                producer.initTransactions()
            finally:
                producer.close(self._jvm.java.time.Duration.ZERO)

        self.call(action)


class KafkaAdmin:
    """An administration client; close it, or use it as a context manager.

    Attributes:
        clients: the classes that it is of.
        java: the Java object.
    """

    def __init__(self, clients: KafkaClients, settings: Mapping[str, str], timeout: int = TIMEOUT) -> None:
        """Make the client; it does not connect yet.

        Args:
            clients: the classes.
            settings: Kafka's, as in the deployment without ``properties.``.
            timeout: milliseconds that a call may take.

        Raises:
            KafkaClientError: the settings cannot be used: an address that does not resolve, a store of keys that cannot be opened.
        """
        self.clients, self._timeout = clients, timeout
        whole = {**settings, "default.api.timeout.ms": str(timeout), "request.timeout.ms": str(timeout)}
        self.java = clients.call(lambda: clients.static(
            "clients.admin.Admin", "create", [clients.java("java.util.Properties")], [clients.properties(whole)]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, future: Any) -> Any:
        """The value of a ``KafkaFuture``.

        Raises:
            KafkaClientError: it has failed, or not come in time.
        """
        seconds = virtual_machine().java.util.concurrent.TimeUnit.MILLISECONDS
        return self.clients.call(lambda: future.get(self._timeout + 1000, seconds))

    def close(self) -> None:
        """Close without waiting for pending calls."""
        with suppress(KafkaClientError):
            self.clients.call(lambda: self.java.close(virtual_machine().java.time.Duration.ZERO))


def _chain(throwable: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while throwable is not None and len(found) < 20:
        found.append((str(throwable.getClass().getSimpleName()), str(throwable.getMessage() or "")))
        throwable = throwable.getCause()
    return found
