"""What is kept of a run: its measures and what the report draws, as one JSON document without anything to execute."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hydatis.simulations.measures.timeline import Timeline
from hydatis.simulations.sweeps.job import Job

FORMAT = 1
"""Of the document; one of another format is as good as none."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run that is done."""

    job: Job
    measures: Mapping[str, float]
    """By name; NaN where the run had nothing to measure."""
    timeline: Timeline
    nodes: int
    pods: int
    decisions: int

    def text(self) -> str:
        """Write the document."""
        job = self.job
        document = {
            "format": FORMAT,
            "key": job.key,
            "scenario": job.scenario,
            "policy": job.policy,
            "seed": job.seed,
            "assumptions": dict(job.assumptions),
            "configuration": dict(job.configuration),
            "data": job.data,
            "code": job.code,
            "nodes": self.nodes,
            "pods": self.pods,
            "decisions": self.decisions,
            "measures": dict(self.measures),
            "timeline": self.timeline.document(),
        }
        return json.dumps(plain(document), allow_nan=False) + "\n"

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read what `text` wrote.

        Raises:
            ValueError: it is something else.

        """
        try:
            document = json.loads(text)
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']}, not {FORMAT}")
            job = Job(**{name: document[name] for name in _JOB_FIELDS})
            if document["key"] != job.key:
                raise ValueError("the key is not that of its contents")
            measures = {name: np.nan if value is None else float(value) for name, value in document["measures"].items()}
            timeline = Timeline.of_document(document["timeline"])
            return cls(job, measures, timeline, document["nodes"], document["pods"], document["decisions"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a kept run ({error!r})") from error


_JOB_FIELDS = ("scenario", "policy", "seed", "assumptions", "configuration", "data", "code")


def plain(value: Any) -> Any:
    """Return the same for JSON, which has no NaN and no infinity: null in their place."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
