"""Which models are loaded, and what is computed anew when that changes."""

from hydatis.scheduler import events
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.policy import EnsembleWeights, Policy
from hydatis.scheduler.prefiltering import SearchSpace
from hydatis.scheduler.testing import node, pod
from hydatis.scheduler.testing_driver import DrivenScheduler
from hydatis.scheduler.testing_models import ConstantModel

FIRST, SECOND = (ConstantModel("m", ModelKind.LOAD, version=version) for version in ("1", "2"))


def test_models_come_change_and_go_by_name_and_each_change_counts() -> None:
    driven = DrivenScheduler()
    models = driven.scheduler.models
    driven.tell(events.ModelLoaded(FIRST))
    assert dict(models) == {"m": FIRST}
    driven.tell(events.ModelLoaded(SECOND))
    assert (models["m"].version, models.version) == ("2", 2)
    driven.tell(events.ModelGone("other"))
    assert models.version == 2, "nothing changed"
    driven.tell(events.ModelGone("m"))
    assert (len(models), models.version) == (0, 3)


def test_only_what_was_evaluated_under_policies_that_name_the_model_is_forgotten() -> None:
    driven = DrivenScheduler(node("n"))
    learned = Policy("learned", ensemble=EnsembleWeights(load=1, load_model="m"))
    plain = Policy("plain")
    evaluations = driven.scheduler._evaluations
    pod_class = driven.scheduler._classes.of(pod("web").manifest())
    driven.scheduler.cluster.ensure_columns()
    before = [evaluations.of(pod_class, policy, SearchSpace(None)) for policy in (learned, plain)]
    driven.tell(events.ModelLoaded(FIRST))
    after = [evaluations.of(pod_class, policy, SearchSpace(None)) for policy in (learned, plain)]
    assert [old is new for old, new in zip(before, after, strict=True)] == [False, True]
