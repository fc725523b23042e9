"""The service as an ASGI application: addresses, what they take, what they give."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field, create_model
from starlette.exceptions import HTTPException

from plumbline import __version__
from plumbline.errors import PlumblineError
from plumbline.service import schemas
from plumbline.service.actions import action_id, is_writable, land_action
from plumbline.service.batching import Batcher
from plumbline.service.engine import Engine, aliases, today
from plumbline.service.engine import Request as Asked
from plumbline.service.middleware import LOG, Counters, Gate
from plumbline.service.problems import Problem, invalid
from plumbline.service.settings import Settings
from plumbline.service.warehouse import Warehouse

PAGES = resources.files("plumbline.service") / "pages"
DESCRIPTION = (
    "Scores creators, says what holds them back and what to do about it, and reads the published metrics and "
    "experiments. Missing inputs are left out, impossible ones refused."
)
_NAME = r"^[A-Za-z0-9_\-]+$"
# Only so many fields are named: a body may hold a hundred thousand unknown ones.
_MOST_IGNORED = 100

_Responses = dict[int | str, dict[str, Any]]

_SHARED: _Responses = {
    401: {"model": schemas.ProblemDocument, "description": "A key is needed."},
    413: {"model": schemas.ProblemDocument, "description": "The body is too large."},
    422: {"model": schemas.ProblemDocument, "description": "A field is not accepted."},
}
_BODY: _Responses = {
    400: {"model": schemas.ProblemDocument, "description": "The body is no JSON."},
    **_SHARED,
}
_READS: _Responses = {
    404: {"model": schemas.ProblemDocument, "description": "There is no such thing."},
    503: {"model": schemas.ProblemDocument, "description": "No published warehouse to read."},
    **{key: value for key, value in _SHARED.items() if key != 413},
}


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def demo() -> dict[str, Any]:
    """The golden record, and invented creators for the page of weights."""
    loaded: dict[str, Any] = orjson.loads((PAGES / "demo.json").read_bytes())
    return loaded


def _shown(name: str) -> str:
    """A field's name as it may be sent back: a lone surrogate has no encoding."""
    return name[:200].encode("utf-8", "backslashreplace").decode("utf-8")


class _Service:
    """What the endpoints share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.warehouse = Warehouse(settings.database) if settings.database else None
        self.engine = Engine(self.warehouse)
        self.counters = Counters()
        self.analyse = Batcher[Asked, dict[str, Any]](self.engine.analyse)

    def asked(self, bodies: Iterable[schemas.Creator], place: str = "") -> list[Asked]:
        """Bodies as requests to the engine.

        Raises:
            Problem: nothing is valid on the day of one.
        """
        found = []
        now = today()
        for number, body in enumerate(bodies):
            day = body.score_date or now
            try:
                catalogue = self.engine.catalogue(day)
            except PlumblineError as error:
                field = f"{place}{number}.score_date" if place else "score_date"
                raise Problem(
                    422, "invalid_input", f"Not accepted: {field}.", [(field, error.message)]
                ) from error
            extra = sorted(map(_shown, body.model_extra or {}))
            index = catalogue.field_index
            given = {
                name: value
                for name, value in body.__dict__.items()
                if value is not None and name in index
            }
            found.append(
                Asked(
                    body.creator_id,
                    day,
                    given,
                    tuple(extra[:_MOST_IGNORED]),
                )
            )
        self.counters.creators.inc(len(found))
        return found

    def published(self) -> Warehouse:
        """The published warehouse.

        Raises:
            Problem: none is configured.
        """
        if self.warehouse is None:
            raise Problem(503, "no_database", "Set PLUMBLINE_SERVICE_DATABASE and start again.")
        return self.warehouse


async def _problem(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return error.response()
    if isinstance(error, RequestValidationError):
        found = error.errors()
        if any(each["type"] == "json_invalid" for each in found):
            return Problem(
                400,
                "invalid_input",
                "The body is no JSON.",
                [("body", str(found[0]["ctx"]["error"]))],
            ).response()
        return invalid(found).response()
    assert isinstance(error, HTTPException)
    kinds = {404: "not_found", 405: "method_not_allowed"}
    kind = kinds.get(error.status_code, "invalid_input")
    details = {"not_found": "Nothing is at this address.", "invalid_input": "The body is no JSON."}
    return Problem(error.status_code, kind, details.get(kind, "Use another method."), []).response(
        dict(error.headers or {})
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application.

    Args:
        settings: of this service; from the environment when left out.

    Raises:
        PlumblineError: the reference tables are missing or do not fit together.
    """
    service = _Service(settings or Settings.from_environment())
    body = schemas.creator_model(
        service.engine.catalogue(),
        frozenset({*aliases(service.engine.catalogue()), *service.engine.catalogue().kpi_index}),
    )

    @asynccontextmanager
    async def alive(app: FastAPI) -> AsyncIterator[None]:
        # Made once, before anybody waits for it.
        app.openapi()
        LOG.info("started", extra={"fields": {"version": __version__}})
        yield
        LOG.info("stopped")

    app = FastAPI(
        title="Plumbline",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=alive,
    )
    app.state.service = service
    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _problem)
    _add_scoring(app, service, body)
    _add_actions(app, service)
    _add_published(app, service)
    _add_pages(app, service)
    paths = [path for route in app.routes if (path := getattr(route, "path", None))]
    app.add_middleware(Gate, settings=service.settings, counters=service.counters, paths=paths)
    return app


def _add_scoring(app: FastAPI, service: _Service, body: type[schemas.Creator]) -> None:
    many = Field(min_length=1, max_length=service.settings.max_creators)
    creators: Any = (Annotated[list[body], many], ...)  # type: ignore[valid-type]
    batch = create_model("CreatorBatch", __base__=schemas.Strict, creators=creators)
    reweighed = create_model("WeightQuestion", __base__=(schemas.Weights, batch))

    @app.post("/analyze", response_model=schemas.Analysis, responses=_BODY, tags=["scoring"])
    async def analyze(creator: body) -> Response:  # type: ignore[valid-type]
        """Score one creator: scores, headroom, issues and recommendations with test plans."""
        (asked,) = service.asked([creator])
        return _json(await service.analyse.ask(asked))

    @app.post(
        "/analyze-batch", response_model=list[schemas.Analysis], responses=_BODY, tags=["scoring"]
    )
    async def analyze_batch(question: batch) -> Response:  # type: ignore[valid-type]
        """Score many creators at once; answers come in the order of the question."""
        asked = service.asked(question.creators, "creators.")  # type: ignore[attr-defined]
        return _json(await asyncio.to_thread(service.engine.analyse, asked))

    @app.post(
        "/compare-algorithms", response_model=schemas.Comparison, responses=_BODY, tags=["scoring"]
    )
    async def compare_algorithms(creator: body) -> Response:  # type: ignore[valid-type]
        """How far the weights move the score of one creator against equal ones."""
        asked = service.asked([creator])
        return _json((await asyncio.to_thread(service.engine.compare, asked))[0])

    @app.post(
        "/compare-weights",
        response_model=schemas.WeightComparison,
        responses=_BODY,
        tags=["scoring"],
    )
    async def compare_weights(question: reweighed) -> Response:  # type: ignore[valid-type]
        """Scores and ranks of creators under other weights of KPIs; nothing is saved."""
        asked = service.asked(question.creators, "creators.")  # type: ignore[attr-defined]
        try:
            found = await asyncio.to_thread(service.engine.reweigh, asked, question.weights)  # type: ignore[attr-defined]
        except KeyError as error:
            name = _shown(str(error.args[0]))
            raise Problem(
                422, "invalid_input", "Not accepted: weights.", [(f"weights.{name}", "no such KPI")]
            ) from error
        except ValueError as error:
            raise Problem(
                422, "invalid_input", "Not accepted: weights.", [("weights", str(error))]
            ) from error
        return _json(found)

    @app.get("/demo-data", tags=["scoring"])
    async def demo_data() -> dict[str, Any]:
        """A complete record to try /analyze with: its overall score is 0.5242626282."""
        found: dict[str, Any] = demo()["golden"]
        return found

    @app.get("/demo-creators", tags=["scoring"])
    async def demo_creators() -> list[dict[str, Any]]:
        """Invented creators to try weights with."""
        found: list[dict[str, Any]] = demo()["creators"]
        return found

    @app.get("/weights", response_model=schemas.WeightTable, tags=["scoring"])
    async def weights() -> Response:
        """KPIs, components, levels and inputs that hold today."""
        return _json(service.engine.weights())


def _add_actions(app: FastAPI, service: _Service) -> None:
    answers: _Responses = {
        200: {"model": schemas.ActionLanded, "description": "It was reported before."},
        409: {"model": schemas.ProblemDocument, "description": "The id exists with other content."},
        503: {"model": schemas.ProblemDocument, "description": "No inbox to write to."},
        **_BODY,
    }

    @app.post(
        "/actions",
        response_model=schemas.ActionLanded,
        status_code=201,
        responses=answers,
        tags=["actions"],
    )
    async def actions(action: schemas.ActionTaken) -> Response:
        """Report a recommendation that was carried out; the next landing takes it in."""
        inbox = service.settings.inbox
        if inbox is None:
            raise Problem(503, "no_inbox", "Set PLUMBLINE_SERVICE_INBOX and start again.")
        # Somewhere on earth it is tomorrow already.
        if not date(1990, 1, 1) <= action.implemented_on <= today() + timedelta(days=1):
            message = "must lie between 1990-01-01 and today"
            raise Problem(
                422,
                "invalid_input",
                "Not accepted: implemented_on.",
                [("implemented_on", message)],
            )
        known = action.action_id or action_id(
            action.creator_id, action.recommendation_id, action.implemented_on
        )
        row = {
            "action_id": known,
            "creator_id": action.creator_id,
            "recommendation_id": action.recommendation_id,
            "implemented_on": action.implemented_on.isoformat(),
        }
        file, is_new = await asyncio.to_thread(land_action, inbox, row)
        status = "landed" if is_new else "already landed"
        return _json({"action_id": known, "status": status, "file": file}, 201 if is_new else 200)


def _slices(texts: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for text in texts:
        column, colon, value = text.partition(":")
        if not colon or "\0" in text:
            message = "write it as column:value"
            raise Problem(422, "invalid_input", "Not accepted: slice.", [("slice", message)])
        found.append((column, value))
    return found


def _add_published(app: FastAPI, service: _Service) -> None:
    @app.get("/v1/metrics", response_model=schemas.MetricList, responses=_READS, tags=["published"])
    async def metrics() -> Response:
        """Metrics of the published version, with their definitions."""
        found = await asyncio.to_thread(service.published().metrics)
        names = schemas.MetricSummary.model_fields.keys()
        return _json({"metrics": [{name: row[name] for name in names} for row in found]})

    @app.get(
        "/v1/metrics/{name}",
        response_model=schemas.MetricRows,
        responses=_READS,
        tags=["published"],
    )
    async def metric(
        name: Annotated[str, Path(pattern=_NAME, max_length=100, description="Metric or alias.")],
        first: Annotated[
            date | None, Query(alias="from", description="First day, included.")
        ] = None,
        last: Annotated[date | None, Query(alias="to", description="Last day, included.")] = None,
        slices: Annotated[
            list[str],
            Query(alias="slice", max_length=10, description="column:value that must hold."),
        ] = [],  # noqa: B006 - FastAPI copies it
        offset: Annotated[int, Query(ge=0, le=1_000_000_000, description="Rows to skip.")] = 0,
        limit: Annotated[int, Query(ge=1, le=5000, description="Rows of a page.")] = 500,
    ) -> Response:
        """Values of one metric by its dimensions, a page of them."""
        warehouse = service.published()
        chosen = _slices(slices)
        return _json(
            await asyncio.to_thread(warehouse.metric, name, first, last, chosen, offset, limit)
        )

    @app.get(
        "/v1/experiments",
        response_model=schemas.ExperimentList,
        responses=_READS,
        tags=["published"],
    )
    async def experiments() -> Response:
        """The decision on each experiment."""
        return _json({"experiments": await asyncio.to_thread(service.published().experiments)})

    @app.get(
        "/v1/experiments/{experiment_id}",
        response_model=schemas.ExperimentDetail,
        responses=_READS,
        tags=["published"],
    )
    async def experiment(
        experiment_id: Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$")],
    ) -> Response:
        """One experiment: phases, decisions, health and results."""
        return _json(await asyncio.to_thread(service.published().experiment, experiment_id))


@lru_cache
def _page(name: str) -> bytes:
    return (PAGES / name).read_bytes()


def _add_pages(app: FastAPI, service: _Service) -> None:
    def page(name: str) -> Callable[[], Awaitable[Response]]:
        async def answer() -> Response:
            return Response(_page(name), media_type="text/html; charset=utf-8")

        return answer

    for path, name in (("/", "index"), ("/weights-view", "weights"), ("/docs", "docs")):
        app.add_api_route(path, page(f"{name}.html"), include_in_schema=False)
    with resources.as_file(PAGES) as folder:
        app.mount("/static", StaticFiles(directory=folder / "static"), name="static")

    @app.get("/health", response_model=schemas.Health, tags=["operation"])
    async def health() -> Response:
        """Whether the service works, and on what."""

        def look() -> dict[str, Any]:
            inbox = service.settings.inbox
            return {
                "status": "ok",
                "version": __version__,
                "reference_version": service.engine.catalogue().version,
                "reference_source": service.engine.source,
                "database": _state(service.warehouse and service.warehouse.is_readable()),
                "inbox": _state(inbox and is_writable(inbox)),
            }

        return _json(await asyncio.to_thread(look))

    @app.get("/metrics", tags=["operation"], response_class=Response)
    async def metrics() -> Response:
        """Counters and latency for Prometheus."""
        return Response(generate_latest(service.counters.registry), media_type=CONTENT_TYPE_LATEST)


def _state(works: object) -> str:
    return "not configured" if works is None else "ok" if works else "unavailable"
