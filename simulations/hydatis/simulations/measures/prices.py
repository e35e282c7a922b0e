"""What a node costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices of capacity, for comparing policies rather than for budgets.

    The defaults are what AWS asks for Fargate on Linux/x86 in us-east-1 (https://aws.amazon.com/fargate/pricing/, read
    in 2026), which is published by the core and by the GiB, so that nodes of any shape get a price.
    """

    core_hour_usd: float = 0.04048
    gib_hour_usd: float = 0.004445
