"""Which feature schemas models of each kind may follow: their hash, and how many features a row has."""

from collections.abc import Mapping

from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.field_errors import quoted
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.refusal import ModelRefused, Refusal

KnownSchemas = Mapping[ModelKind, Mapping[str, int]]
"""By kind, the hash of each schema that this version computes, with its number of features. A kind that is left out
takes models of any schema.
"""

KNOWN_SCHEMAS: KnownSchemas = {kind: {schema.hash: schema.width} for kind, schema in SCHEMAS.items()}


def width_of(kind: ModelKind, schema_hash: str, known: KnownSchemas = KNOWN_SCHEMAS) -> int | None:
    """Return how many features a row of this schema has; None where it is not known. Raises ModelRefused."""
    schemas = known.get(kind)
    if schemas is None:
        return None
    if schema_hash not in schemas:
        raise ModelRefused(
            Refusal.WRONG_SCHEMA,
            f"spec.schemaHash is {quoted(schema_hash)}, and the features that this version of HYDATIS computes for "
            f"{kind} have {', '.join(schemas)}: train the model on those",
        )
    return schemas[schema_hash]
