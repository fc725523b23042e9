"""Errors as problem documents (RFC 9457): a status, a type to branch on, and the fields at fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

TITLES = {
    "invalid_input": "The request does not fit",
    "too_large": "The request is too large",
    "unauthorized": "A key is needed",
    "not_found": "There is no such thing",
    "method_not_allowed": "This address does not take that method",
    "conflict": "That exists with other content",
    "no_database": "No published warehouse is configured",
    "database_unavailable": "The published warehouse cannot be read",
    "no_inbox": "No inbox is configured",
    "inbox_unavailable": "The inbox cannot be written to",
    "internal": "Something went wrong here",
}


class Problem(Exception):  # noqa: N818 - it is the answer, named as the standard names it
    """A request that is answered with an error.

    Args:
        status: HTTP status.
        kind: key of ``TITLES``.
        detail: one sentence.
        errors: (field, message) of each field at fault.
    """

    def __init__(
        self, status: int, kind: str, detail: str, errors: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.errors = [{"field": field, "message": message} for field, message in errors]

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """The answer as ``application/problem+json``."""
        body: dict[str, Any] = {
            "type": self.kind,
            "title": TITLES[self.kind],
            "status": self.status,
            "detail": self.detail,
            "errors": self.errors,
        }
        return Response(
            orjson.dumps(body), self.status, dict(headers or {}), "application/problem+json"
        )


def field_of(location: Iterable[str | int]) -> str:
    """Name of a field from the place pydantic gives, as in ``creators.3.score_date``."""
    parts = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    return ".".join(parts) or "body"


def invalid(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """Problem of errors that pydantic found; what was sent is not repeated."""
    found = [(field_of(error["loc"]), str(error["msg"])) for error in errors]
    named = ", ".join(dict.fromkeys(field for field, _ in found[:5]))
    return Problem(422, "invalid_input", f"Not accepted: {named}.", found[:50])
