"""Experiments of GrowthBook, from its REST API or from a saved answer of it."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from plumbline.errors import PlumblineError

KEY_VARIABLE = "GROWTHBOOK_API_KEY"
_PATH = "/api/v1/experiments"
_PAGE = 100
_ATTEMPTS = 6
_TIMEOUT_SECONDS = 30.0
_LONGEST_WAIT = 60.0

Experiment = dict[str, Any]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def fetch(
    url: str,
    key: str,
    *,
    project: str | None = None,
    page_size: int = _PAGE,
    attempts: int = _ATTEMPTS,
    timeout: float = _TIMEOUT_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Experiment]:
    """All experiments the key may read, page by page.

    Answers 429 and 5xx, and connections that fail, are tried again after 1, 2, 4, ... seconds, or after
    what the server asks for (``Retry-After``), at most a minute.

    Args:
        url: API host, as ``https://api.growthbook.io``.
        key: secret key or personal access token; sent as bearer token, never shown.
        project: id of a project, to read its experiments only.
        page_size: experiments a page.
        attempts: tries per page.
        timeout: seconds one request may take.
        sleep: how to wait.

    Raises:
        PlumblineError: the key is refused, there is no such API, it does not answer, its answer cannot be
            read, or the list changed while it was read.
    """
    base = url.rstrip("/").removesuffix("/api/v1")
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise PlumblineError(f"{url} is no address of an API.", "Write it as https://host.")
    opener = urllib.request.build_opener(_NoRedirects)
    found: dict[str, Experiment] = {}
    offset = total = 0
    while True:
        query = {"limit": page_size, "offset": offset} | ({"projectId": project} if project else {})
        request = urllib.request.Request(
            f"{base}{_PATH}?{urllib.parse.urlencode(query)}",
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
        )
        page = _object(_answer(opener, request, attempts, timeout, sleep), request.full_url)
        if "experiments" not in page:
            raise PlumblineError(
                f"the answer of {request.full_url} holds no experiments.",
                "--url is the API host; that of the application is another one.",
            )
        for experiment in experiments_of(page, request.full_url):
            found[str(experiment["id"])] = experiment
        total = int(page.get("total") or 0)
        if not page.get("hasMore"):
            break
        following = page.get("nextOffset")
        if not isinstance(following, int) or following <= offset:
            raise PlumblineError(
                f"{base} says there are more experiments, but not where they begin.",
                "Save the pages yourself and import them with --file.",
            )
        offset = following
    if len(found) < total:
        raise PlumblineError(
            f"{base} counts {total} experiments and listed {len(found)}: the list changed meanwhile.",
            "Run the import again.",
        )
    return list(found.values())


def _answer(
    opener: urllib.request.OpenerDirector,
    request: urllib.request.Request,
    attempts: int,
    timeout: float,
    sleep: Callable[[float], None],
) -> bytes:
    wait, why = 1.0, ""
    for attempt in range(attempts):
        if attempt:
            sleep(min(wait, _LONGEST_WAIT))
            wait *= 2
        try:
            with opener.open(request, timeout=timeout) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise _refusal(error, request.full_url) from None
            why = f"answered {error.code}"
            wait = max(wait, _asked_for(error.headers.get("Retry-After")))
            error.close()
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            why = f"did not answer ({getattr(error, 'reason', None) or error or type(error).__name__})"
    raise PlumblineError(
        f"{request.full_url} {why}, {attempts} times.",
        "See whether the address is right and GrowthBook runs; nothing was imported.",
    )


def _refusal(error: urllib.error.HTTPError, url: str) -> PlumblineError:
    error.close()
    if error.code in (401, 403):
        return PlumblineError(
            f"GrowthBook refuses the key in {KEY_VARIABLE} ({error.code}).",
            "Set it to a key that may read experiments (Settings, API keys).",
        )
    if error.code == 404:
        return PlumblineError(
            f"there is no API at {url} (404).", "--url is the API host, without a path."
        )
    if 300 <= error.code < 400:
        return PlumblineError(
            f"{url} redirects to {error.headers.get('Location')}; the key does not follow.",
            "Set --url to where the API is.",
        )
    return PlumblineError(f"{url} answered {error.code}.", "See the log of GrowthBook.")


def _asked_for(text: str | None) -> float:
    """Seconds a server asks to wait for: a number or a date; 0 where it says nothing readable."""
    if not text:
        return 0.0
    try:
        return max(float(text), 0.0)
    except ValueError:
        try:
            return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
        except ValueError:
            return 0.0


def _object(body: bytes, where: str) -> dict[str, Any]:
    try:
        page = json.loads(body)
    except ValueError as error:
        raise PlumblineError(
            f"the answer of {where} is no JSON: {body[:60]!r}.",
            "--url is the API host; that of the application is another one.",
        ) from error
    if not isinstance(page, dict):
        raise PlumblineError(f"the answer of {where} is no JSON object.", "See --url.")
    return page


def load(path: Path) -> list[Experiment]:
    """Experiments of a saved answer: one page, a list of pages or of experiments, or one of these a line.

    Raises:
        PlumblineError: the file cannot be read or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlumblineError(f"{path} cannot be read: {error}.", "Name a JSON file.") from error
    try:
        documents = [json.loads(text)]
    except ValueError:
        try:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise PlumblineError(
                f"{path} is no JSON: {error}.", "Save the answer as it came."
            ) from error
    found: dict[str, Experiment] = {}
    for document in documents:
        for experiment in experiments_of(document, str(path)):
            found[str(experiment["id"])] = experiment
    return list(found.values())


def experiments_of(document: Any, where: str) -> list[Experiment]:
    """Experiments in a page, in lists of pages or of experiments, or in one experiment.

    Args:
        document: parsed JSON.
        where: what to call it in an error.

    Raises:
        PlumblineError: something in it is no experiment.
    """
    if isinstance(document, list):
        return [found for part in document for found in experiments_of(part, where)]
    if isinstance(document, dict):
        for name in ("experiments", "experiment"):
            if name in document:
                return experiments_of(document[name], where)
        if "id" in document and isinstance(document.get("phases"), list):
            return [document]
    raise PlumblineError(
        f"{where} holds something that is no experiment of GrowthBook's API.",
        f"An experiment has an id and phases, as GET {_PATH} lists them.",
    )
