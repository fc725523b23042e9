"""What every request passes: its size, its key, its log line and its place in the counters."""

from __future__ import annotations

import hmac
import json
import logging
import time
import uuid
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plumbline.service.problems import Problem
from plumbline.service.settings import Settings

# Pages hold no data, and whoever watches the service needs no key to see that it lives.
OPEN = ("/", "/weights-view", "/docs", "/openapi.json", "/health")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_HEADERS = [
    # Everything a page needs comes from here.
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Counters:
    """Prometheus counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "path", "status")
        self.requests = Counter(
            "plumbline_requests", "Requests answered.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "plumbline_request_seconds",
            "Seconds from the head of a request to the end of its answer.",
            ("method", "path"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.active = Gauge(
            "plumbline_requests_active", "Requests being answered.", registry=self.registry
        )
        self.creators = Counter(
            "plumbline_creators_scored", "Creators scored.", registry=self.registry
        )


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message and what was handed over as ``fields``."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)

    converter = time.gmtime  # type: ignore[assignment]


def log_configuration(level: str) -> dict[str, Any]:
    """Configuration for ``logging.config``: JSON lines to the standard error, also of the server."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {"uvicorn.access": {"handlers": [], "propagate": False}},
    }


LOG = logging.getLogger("plumbline.service")


class _TooLargeError(Exception):
    pass


class Gate:
    """The outermost layer of the service.

    Args:
        app: what answers.
        settings: limits and key.
        counters: to count in.
        paths: addresses that counters and log tell apart; others count together, so that strangers cannot
            make up labels.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, counters: Counters, paths: Iterable[str]
    ) -> None:
        self.app, self.settings, self.counters = app, settings, counters
        self.paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, sent = time.perf_counter(), 500, 0
        request_id = uuid.uuid4().hex[:16]
        self.counters.active.inc()

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                own = [(b"x-request-id", request_id.encode()), *_HEADERS]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._answer(scope, receive, counted)
        except Exception:
            LOG.exception("failed", extra={"fields": {"request_id": request_id}})
            if sent == 0:
                answer = Problem(500, "internal", "The request failed; the log says why.")
                await answer.response()(scope, receive, counted)
        finally:
            self.counters.active.dec()
            self._record(scope, status, sent, time.perf_counter() - started, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {key.lower(): value for key, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            # The rest of the body is not read, so the connection cannot serve another request.
            await refusal.response({"connection": "close"})(scope, receive, send)
            return
        seen, over, begun = 0, False, False
        limit = self.settings.max_bytes

        async def limited() -> Message:
            nonlocal seen, over
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                over = True
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            # Whoever reads the body may answer that it was broken off: the reason is its size.
            if over and not begun:
                return
            begun = True
            await send(message)

        try:
            await self.app(scope, limited, noted)
        except Exception:
            if not over:
                raise
        if over and not begun:
            await _too_large(limit).response({"connection": "close"})(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self.settings.max_bytes:
            return _too_large(self.settings.max_bytes)
        path = scope["path"]
        if self.settings.api_key is None or path in OPEN or path.startswith("/static/"):
            return None
        sent = headers.get(b"x-api-key", b"")
        bearer = headers.get(b"authorization", b"")
        if not sent and bearer.lower().startswith(b"bearer "):
            sent = bearer[7:].strip()
        if hmac.compare_digest(sent, self.settings.api_key.encode()):
            return None
        return Problem(401, "unauthorized", "Send the key in the header X-API-Key.")

    def _record(
        self, scope: Scope, status: int, sent: int, seconds: float, request_id: str
    ) -> None:
        route = scope.get("route")
        path = getattr(route, "path", None) or scope["path"]
        if path.startswith("/static/"):
            path = "/static"
        path = path if path in self.paths else "other"
        method = (
            scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        )
        self.counters.requests.labels(method, path, str(status)).inc()
        self.counters.seconds.labels(method, path).observe(seconds)
        fields = {
            "request_id": request_id,
            "method": method,
            "path": path,
            "status": status,
            "milliseconds": round(seconds * 1000, 3),
            "bytes": sent,
        }
        LOG.info("request", extra={"fields": fields})


def _too_large(limit: int) -> Problem:
    return Problem(
        413, "too_large", f"A body may have {limit} bytes.", [("body", f"more than {limit} bytes")]
    )
