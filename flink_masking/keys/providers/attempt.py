"""Calls key services with a time limit and maps every failure to a fixed message without text of the SDK or service.

What an SDK raises may hold the request, and the request a token or a root. So its error is classified, then dropped; it is no context
of the error that is raised.
"""

import random
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar

from flink_masking.errors import KeyRingError, KeyRingUnavailableError

WAIT_S = 5.0
"""Seconds that a connection or an answer may take."""
PAUSE_S = 0.5
"""Seconds before a second call at most; each worker waits for another time."""

T = TypeVar("T")


class Failure(Enum):
    """A failure and its hint."""

    UNREACHABLE = ("the service cannot be reached or does not answer", "check address, network and certificates; try again later")
    UNTRUSTED = ("the service cannot be reached: its certificate is not trusted", "check the address, and which certificates are trusted")
    FORBIDDEN = ("access is refused", "check the credentials of this process and what they are allowed to do")
    MISSING = ("no such object", "check the address")
    THROTTLED = ("the service throttles requests", "try again later, or raise the quota")
    REJECTED = ("the service refuses the request", "check that the key is the one that wrapped the ring, and that it is enabled")
    BROKEN = ("the call failed", "check the address and the version of the SDK")


_PASSING = (Failure.UNREACHABLE, Failure.THROTTLED)
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""OpenSSL's name, which every SDK repeats; their own classes say no more than that TLS failed."""


def attempt(where: str, call: Callable[[], T], failure: Callable[[Exception], Failure], tries: int = 1) -> T:
    """The result of a call of a service.

    Args:
        where: what to call the service in errors.
        call: making it twice must do no harm.
        failure: what an error of the SDK means.
        tries: how often it is made at most while a failure may pass; 1 where the SDK itself tries again.

    Raises:
        KeyRingUnavailableError: the service is away or asks to slow down.
        KeyRingError: whatever else the call raised.
    """
    found, name = Failure.BROKEN, ""
    for number in range(tries):
        if number:
            time.sleep(PAUSE_S * random.uniform(0.5, 1.0))
        try:
            return call()
        except KeyRingError:
            raise
        except Exception as error:  # an SDK raises what it likes, and none of it may be shown
            found, name = Failure.UNTRUSTED if _UNTRUSTED in str(error) else failure(error), type(error).__name__
        if found not in _PASSING:
            break
    detail, hint = found.value
    kind = KeyRingUnavailableError if found in _PASSING else KeyRingError
    raise kind(f"{where}: {detail} ({name}). Hint: {hint}")


def by_name(failures: Mapping[str, Failure]) -> Callable[[Exception], Failure]:
    """Tell failures by the names of an error's classes, the most special first; so no SDK need be imported to tell them."""

    def failure(error: Exception) -> Failure:
        return next((failures[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in failures), Failure.BROKEN)

    return failure


def by_status(status: int) -> Failure:
    """What an HTTP status means."""
    known = {401: Failure.FORBIDDEN, 403: Failure.FORBIDDEN, 404: Failure.MISSING, 408: Failure.UNREACHABLE, 429: Failure.THROTTLED}
    return known.get(status, Failure.UNREACHABLE if status >= 500 else Failure.REJECTED)


def missing_sdk(scheme: str, package: str, extra: str) -> KeyRingError:
    """The error for an SDK that is not installed."""
    return KeyRingError(f"{scheme}:// needs {package}, which is not installed. Hint: pip install 'flink-masking[{extra}]'")
