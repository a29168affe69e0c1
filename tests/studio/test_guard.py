"""Who is let in: the browser that opened the printed address, from the studio's own page, and nobody else."""

import asyncio

import pytest
from asgi import ask

from flink_masking.studio.guard import COOKIE, Guard

HOST = ("host", "127.0.0.1:5000")
ORIGIN = ("origin", "http://127.0.0.1:5000")


async def inner(scope, receive, send):
    """An application that tells the path that it is asked for."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.fixture
def guard():
    """In front of it."""
    return Guard(inner, 5000)


def entered(guard):
    """Open the address; the session's cookie as a header."""
    answer = ask(guard, "GET", guard.address.removeprefix(guard.origin), [HOST])
    assert (answer.status, answer.headers["location"]) == (303, f"{guard.path}/")
    return "cookie", answer.headers["set-cookie"].partition(";")[0]


def test_the_address_opens_once(guard):
    """The token gives a session the first time, and nothing a second time."""
    address = guard.address.removeprefix(guard.origin)
    cookie = entered(guard)
    assert ask(guard, "GET", f"{guard.path}/start", [HOST, cookie]).body == b"/start"
    again = ask(guard, "GET", address, [HOST])
    assert again.status == 403 and b"used before" in again.body and "set-cookie" not in again.headers


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token={token}&token={token}", "?other={token}", "?token={token}x"])
def test_a_wrong_token_gives_no_session_and_takes_none(guard, query):
    """Other tokens are refused, and the right one still opens the studio afterwards."""
    token = guard.address.partition("token=")[2]
    assert ask(guard, "GET", f"/{query.format(token=token)}", [HOST]).status == 403
    entered(guard)


def test_other_methods_do_not_take_the_token(guard):
    """Only GET opens the address."""
    address = guard.address.removeprefix(guard.origin)
    assert [ask(guard, method, address, [HOST, ORIGIN]).status for method in ("HEAD", "POST", "PUT")] == [403] * 3
    entered(guard)


def test_the_cookie_is_for_the_sessions_path_and_no_script(guard):
    """The cookie is HttpOnly, strict, and for the random path only, so that other ports of this host never receive it."""
    answer = ask(guard, "GET", guard.address.removeprefix(guard.origin), [HOST])
    parts = answer.headers["set-cookie"].split("; ")
    assert parts[0].startswith(f"{COOKIE}=") and parts[1:] == [f"Path={guard.path}", "HttpOnly", "SameSite=Strict"]
    assert len(guard.path) >= 17 and Guard(inner, 5000).path != guard.path


@pytest.mark.parametrize("cookies", [[], [("cookie", f"{COOKIE}=")], [("cookie", f"{COOKIE}=wrong")], [("cookie", "other=1")]])
def test_without_the_cookie_nothing_is_shown(guard, cookies):
    """A request without the session's cookie is refused, on every path."""
    entered(guard)
    for path in (f"{guard.path}/", f"{guard.path}/start", guard.path, "/start", "/page/studio.js", "//", "/../start"):
        assert ask(guard, "GET", path, [HOST, *cookies]).status == 403


@pytest.mark.parametrize("hosts", [[], [("host", "localhost:5000")], [("host", "127.0.0.1")], [("host", "127.0.0.1:5001")],
                                   [("host", "attacker.example:5000")], [HOST, ("host", "attacker.example")], [HOST, HOST]])
def test_another_host_is_refused(guard, hosts):
    """A name that was made to lead here (DNS rebinding) is refused, with the session's cookie and with the token."""
    cookie = entered(guard)
    assert ask(guard, "GET", f"{guard.path}/start", [*hosts, cookie]).status == 403
    fresh = Guard(inner, 5000)
    assert ask(fresh, "GET", fresh.address.removeprefix(fresh.origin), hosts).status == 403


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1:5001", "https://127.0.0.1:5000", "http://attacker.example", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(guard, method, origin):
    """A page of another origin gets nothing, whatever cookie the browser adds."""
    cookie = entered(guard)
    assert ask(guard, method, f"{guard.path}/save", [HOST, cookie, ("origin", origin)]).status == 403


def test_changes_need_an_origin(guard):
    """A request that could change something is refused without the header Origin, and passes with the studio's."""
    cookie = entered(guard)
    assert [ask(guard, method, f"{guard.path}/save", [HOST, cookie]).status for method in ("POST", "PUT", "DELETE", "OPTIONS")] == [403] * 4
    assert ask(guard, "POST", f"{guard.path}/save", [HOST, cookie, ORIGIN]).body == b"/save"


@pytest.mark.parametrize(("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("", 403)])
def test_other_sites_are_refused(guard, site, status):
    """Sec-Fetch-Site tells that another site asks, another port of this host included."""
    assert ask(guard, "GET", f"{guard.path}/start", [HOST, entered(guard), ("sec-fetch-site", site)]).status == status


def test_every_answer_is_private_and_loads_nothing_from_elsewhere(guard):
    """Pages, refusals and redirections are not cached, not framed, and may load from the studio only."""
    cookie = entered(guard)
    fresh = Guard(inner, 5000)
    answers = [ask(guard, "GET", f"{guard.path}/", [HOST, cookie]), ask(guard, "GET", "/x", [HOST]), ask(guard, "GET", "/x"),
               ask(fresh, "GET", fresh.address.removeprefix(fresh.origin), [HOST])]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-frame-options"] == "DENY"
        rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
        assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert rules["script-src"] == rules["connect-src"] == "'self'" and "unsafe" not in str(rules) and "http" not in str(rules)


def test_only_http_is_served(guard):
    """A web socket is not accepted."""
    with pytest.raises(RuntimeError, match="only HTTP"):
        asyncio.run(guard({"type": "websocket"}, None, None))


TAB = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]


def test_a_file_may_open_the_address_in_a_tab(guard):
    """From elsewhere the address opens as a whole tab: a page of the studio's own leads on, so that the strict cookie is sent."""
    address = guard.address.removeprefix(guard.origin)
    used = []
    guard.used = lambda: used.append(True)
    assert ask(guard, "GET", "/?token=wrong", [HOST, *TAB]).status == 403 and not used
    answer = ask(guard, "GET", address, [HOST, *TAB])
    assert answer.status == 200 and f"0; url={guard.path}/".encode() in answer.body and "SameSite=Strict" in answer.headers["set-cookie"]
    assert used == [True] and ask(guard, "GET", address, [HOST, *TAB]).status == 403


@pytest.mark.parametrize("headers", [
    [TAB[0]], TAB[:2], [*TAB[:2], ("sec-fetch-dest", "iframe")], [TAB[0], ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
    [*TAB, ("origin", "null")], [("sec-fetch-site", "same-site"), *TAB[1:]], [TAB[0], *TAB]])
def test_nothing_else_from_elsewhere_opens_it(guard, headers):
    """Frames, scripts and images of other sites are refused, token or not, and take none; so is everything below the session's path."""
    assert ask(guard, "GET", guard.address.removeprefix(guard.origin), [HOST, *headers]).status == 403
    cookie = entered(guard)
    assert ask(guard, "GET", f"{guard.path}/start", [HOST, cookie, *TAB]).status == 403
