"""`hydatis model list`: what the registry has, and what of it is in the cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hydatis.registry.errors import printable
from hydatis.registry.pushing import condition
from hydatis.registry.versions import RegisteredVersion, UnreadableVersion

METRICS_SHOWN = 3
_PLAIN_WIDTH = 160
_TITLES = ("NAME", "VERSION", "ALIASES", "SHA-256", "METRICS", "MLMODEL", "VERIFIED", "IN USE")


@dataclass(frozen=True, slots=True)
class InCluster:
    """What the cluster says of an MLModel with a version's weights."""

    name: str
    verified: str
    """Status of the condition, with the reason where it is not True."""
    in_use: tuple[str, ...]
    """Policies in force."""


def in_cluster(models: Iterable[Mapping[str, Any]]) -> Mapping[tuple[str, str], list[InCluster]]:
    """Return the MLModels by kind and digest."""
    found: dict[tuple[str, str], list[InCluster]] = {}
    for model in models:
        status, reason, _ = condition(model, "Verified")
        spec = model.get("spec", {})
        there = InCluster(
            model["metadata"]["name"],
            status if status == "True" else " ".join(filter(None, (status, reason))) or "Unknown",
            tuple(model.get("status", {}).get("inUse") or ()),
        )
        found.setdefault((spec.get("kind", ""), spec.get("sha256", "")), []).append(there)
    return found


def print_versions(
    versions: Sequence[RegisteredVersion | UnreadableVersion],
    cluster: Mapping[tuple[str, str], list[InCluster]] | None,
) -> None:
    """Print a row a version; `cluster` is None where none was asked, and its columns are empty then."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH, color_system=None)
    table = Table(*(_TITLES if cluster is not None else _TITLES[:5]), box=None, pad_edge=False)
    for version in versions:
        if isinstance(version, UnreadableVersion):
            table.add_row(version.name, version.version, "", "", Text(printable(version.problem)))
            continue
        cells = [version.name, version.version, ", ".join(version.aliases), version.sha256[:12], _metrics(version)]
        if cluster is not None:
            there = cluster.get((version.kind.value, version.sha256), [])
            cells += ["\n".join(one.name for one in there) or "-", "\n".join(one.verified for one in there) or "-"]
            cells += ["\n".join(", ".join(one.in_use) or "-" for one in there) or "-"]
        # As text: what stands in a registry is no markup.
        table.add_row(*map(Text, cells))
    console.print(table)


def document(
    versions: Sequence[RegisteredVersion | UnreadableVersion],
    cluster: Mapping[tuple[str, str], list[InCluster]] | None,
) -> list[dict[str, Any]]:
    """Return the same as JSON has it, with every metric."""
    rows: list[dict[str, Any]] = []
    for version in versions:
        row: dict[str, Any] = {"name": version.name, "version": version.version}
        if isinstance(version, UnreadableVersion):
            rows.append({**row, "problem": version.problem})
            continue
        row |= {
            "kind": version.kind.value,
            "aliases": list(version.aliases),
            "sha256": version.sha256,
            "schemaHash": version.schema_hash,
            "metrics": dict(version.metrics),
            "provenance": dict(version.provenance),
        }
        if cluster is not None:
            there = cluster.get((version.kind.value, version.sha256), [])
            row["mlmodels"] = [{"name": one.name, "verified": one.verified, "inUse": list(one.in_use)} for one in there]
        rows.append(row)
    return rows


def _metrics(version: RegisteredVersion) -> str:
    shown = [f"{name} {value:.4g}" for name, value in list(version.metrics.items())[:METRICS_SHOWN]]
    more = len(version.metrics) - len(shown)
    return ", ".join(shown) + (f" (+{more})" if more > 0 else "")
