"""From the runs of a sweep to what is reported of each scenario."""

from hydatis.simulations.comparing import REFERENCE
from hydatis.simulations.reporting.study import Study
from hydatis.simulations.sweeps.plan import by_variant
from hydatis.simulations.sweeps.running import Swept
from hydatis.simulations.sweeps.summary import RunSummary


def studies_of(swept: Swept, reference: str | None) -> list[Study]:
    """Return a study for each scenario and set of assumptions that has runs of its reference: the policy named, or
    KubeScheduler, or else the first that has runs.
    """
    runs = {run.job.key: run for run in swept.runs}
    everything = [*(run.job for run in swept.runs), *swept.missing]
    studies = []
    for variant, jobs in by_variant(everything).items():
        by_policy: dict[str, list[RunSummary]] = {}
        for job in jobs:
            if job.key in runs:
                by_policy.setdefault(job.policy, []).append(runs[job.key])
        wanted = reference or (REFERENCE if REFERENCE in by_policy else next(iter(by_policy), None))
        if wanted in by_policy:
            missing = [job for job in jobs if job.key not in runs]
            for of_policy in by_policy.values():
                of_policy.sort(key=lambda run: run.job.seed)
            studies.append(Study(variant, by_policy, missing, wanted))
    return studies
