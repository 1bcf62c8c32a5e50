"""A reply whose JSON is there already, as the store or its SQLite made it. Parses and checks nothing."""

from __future__ import annotations

from starlette.responses import Response


class JsonText(Response):
    """As starlette's JSONResponse, for text that is JSON."""

    media_type = "application/json"
