"""The JSON report: what `hydatis simulate --json` writes for scenarios in virtual time."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hydatis.simulations.comparing import Difference
from hydatis.simulations.intervals import Interval
from hydatis.simulations.measures.catalogue import MEASURES
from hydatis.simulations.reporting.study import Study, command_of
from hydatis.simulations.sweeps.summary import plain

Document = dict[str, Any]


def document_of(studies: Sequence[Study], command: str) -> Document:
    """Return the report: of one scenario flat, of several one by one under `scenarios`. No NaN is in it."""
    measures = {
        each.name: {"title": each.title, "unit": each.unit, "better": str(each.better), "definition": each.definition}
        for each in MEASURES
    }
    if len(studies) == 1:
        document = {**_of_study(studies[0]), "measures": measures, "command": command}
    else:
        by_name = {study.scenario: _of_study(study) for study in studies}
        document = {"scenarios": by_name, "measures": measures, "command": command}
    whole: Document = plain(document)
    return whole


def _of_study(study: Study) -> Document:
    found, job = study.comparison, study.first.job
    return {
        "scenario": study.scenario,
        "complete": not study.missing,
        "missing": [{"policy": missing.policy, "seed": missing.seed} for missing in study.missing],
        "configuration": {
            **job.configuration,
            "seeds": list(study.seeds),
            "reference": found.reference,
            "bound": found.bound,
            "data": job.data or None,
            "code": job.code,
        },
        "policies": _intervals(found.policies),
        "differences": {
            policy: {measure: _difference(one) for measure, one in of.items()}
            for policy, of in found.differences.items()
        },
        "regret": _intervals(found.regret),
        "gap_closed_percent": _intervals(found.gap_closed),
        "best": {measure: list(policies) for measure, policies in found.best.items()},
        "equal_service": dict(found.equal_service),
        "runs": {
            policy: [
                {
                    "seed": run.job.seed,
                    "key": run.job.key,
                    "command": command_of(run.job),
                    "nodes": run.nodes,
                    "pods": run.pods,
                    "decisions": run.decisions,
                    **run.measures,
                }
                for run in runs
            ]
            for policy, runs in study.runs.items()
        },
    }


def _intervals(by_policy: Mapping[str, Mapping[str, Interval]]) -> Document:
    return {policy: {measure: asdict(one) for measure, one in of.items()} for policy, of in by_policy.items()}


def _difference(one: Difference) -> Document:
    return {
        **asdict(one.difference),
        "ratio": None if one.ratio is None else asdict(one.ratio),
        "verdict": str(one.verdict),
    }
