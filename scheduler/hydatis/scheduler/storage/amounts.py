"""Amounts of storage, exact, in nano-bytes."""

from collections.abc import Mapping
from typing import Any

from hydatis.scheduler.quantities import QuantityInvalid, parse_quantity


def storage_amount(resources: Mapping[str, Any]) -> int | None:
    """Return what a resource list says of `storage`; None where it says nothing."""
    return quantity(resources.get("storage"))


def quantity(text: Any) -> int | None:
    """Read an amount. One that is malformed, which the API server does not admit, counts as absent."""
    if text is None:
        return None
    try:
        return parse_quantity(text)
    except QuantityInvalid:
        return None
