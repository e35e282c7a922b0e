"""Who places pods while examples are gathered: the closed form, a load model, or both."""

from dataclasses import dataclass

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.plugins.ensemble import by_decade


@dataclass(frozen=True, slots=True)
class Judge:
    """Says how good nodes are, as the ensemble of the same weights does."""

    model: Model | None = None
    model_share: float = 0.0
    """Weight of the model, 0 to 1; the rest is the closed form's."""

    def scores(self, features: Float32Array, added: Float64Array) -> Float64Array:
        """Return (rows,), 0 to 100, of rows of `PLACEMENT_SCHEMA` and what the closed form finds added to them."""
        scores = by_decade(added)
        if self.model is None or not self.model_share:
            return scores
        return (1.0 - self.model_share) * scores + self.model_share * by_decade(self.model.predict(features))
