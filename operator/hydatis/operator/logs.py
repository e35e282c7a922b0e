"""How the operator logs: to stderr, as text for people or JSON for collectors; set up once by the command `run`."""

import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum

import orjson


class LogFormat(StrEnum):
    """One line for each message: plain text, or one JSON object."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least severe messages that are shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class JsonFormatter(logging.Formatter):
    """One JSON object a line with time (RFC 3339), level, logger, message and, for faults, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Render the record."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()


def configure(log_format: LogFormat, level: LogLevel) -> None:
    """Send every logger's messages to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format is LogFormat.JSON:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)
    # kopf tells of its own life-cycle at INFO; ours says the same in one place. Its faults come through.
    own_level = logging.getLogger().level
    for name in ("kopf", "asyncio", "aiohttp", "kubernetes_asyncio"):
        logging.getLogger(name).setLevel(own_level if level is LogLevel.DEBUG else max(own_level, logging.WARNING))
