"""Writes decisions, as `explanations` tells them in JSON, for people to read.

Names come from the cluster and are shown as they are but for characters that a terminal would obey.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

MOST_FEATURES = 6
"""Of each list; JSON has all of them."""

Document = Mapping[str, Any]


def list_text(decisions: Sequence[Document]) -> str:
    """One line a decision, the newest first."""
    if not decisions:
        return "No decision has been made yet.\n"
    rows = [("WHEN", "POD", "STATE", "NODE", "FEASIBLE", "ATTEMPTS", "POLICY", "MODE", "MODELS")]
    for one in decisions:
        row = (_seconds(one["at"]), _pod(one), one["state"], one["node"] or "-", f"{one['feasible']}/{one['nodes']}")
        models = " ".join(map(_model, one["models"])) or "-"
        rows.append((*row, str(one["attempts"]), one["policy"]["name"], one["mode"], models))
    return _plain(_table(rows))


def pod_text(decisions: Sequence[Document]) -> str:
    """Every decision about a pod in full, the newest first."""
    return _plain("\n".join(_paragraphs(one) for one in decisions))


def _paragraphs(one: Document) -> str:
    parts = [_heading(one)]
    if one["rejections"]:
        rows = [("REJECTED BY", "NODES", "BECAUSE", "SUCH AS")]
        for each in one["rejections"]:
            reasons = ", ".join(f"{count} {reason}" for reason, count in each["reasons"].items())
            rows.append((each["plugin"], str(each["nodes"]), reasons, " ".join(each["examples"])))
        parts.append(_table(rows))
    if any(node["parts"] for node in one["bestNodes"]):
        parts.append(_table(_nodes(one)))
    if one["features"]:
        parts.append(_table(_features(one)))
    parts += [_opinion(one, opinion) for opinion in one["modelOpinions"]]
    return "\n".join(parts)


def _heading(one: Document) -> str:
    policy = one["policy"]
    attempts = "1 attempt" if one["attempts"] == 1 else f"{one['attempts']} attempts"
    where = f" on {one['node']}" if one["node"] else ""
    lines = [f"{_pod(one)}: {one['state']}{where}, {_seconds(one['at'])}, {attempts}, {one['waitedSeconds']:g} s"]
    lines += [line for line in (one["summary"], one["message"]) if line]
    lines.append(f"policy {policy['name']} of generation {policy['generation']}, scheduler name {one['schedulerName']}")
    return "".join(f"{line}\n" for line in lines)


def _nodes(one: Document) -> Iterator[Sequence[str]]:
    """The best nodes; a part that is the same for all of them stays: it may have told them from the rest."""
    names = list(dict.fromkeys(name for node in one["bestNodes"] for name, part in node["parts"].items() if part))
    yield ("NODE", "SCORE", *names)
    for node in one["bestNodes"]:
        yield (node["node"], _score(node["score"]), *(_score(node["parts"].get(name, 0)) for name in names))


def _features(one: Document) -> Iterator[Sequence[str]]:
    chosen, *others = (node["node"] for node in one["bestNodes"])
    compared = f"RUNNER-UP {others[0]}" if others else ""
    yield ("FEATURE", f"CHOSEN {chosen}", compared, "USUAL", "UNIT", "WHAT IT IS")
    for each in one["features"][:MOST_FEATURES]:
        runner_up = "" if each["runnerUp"] is None else _number(each["runnerUp"])
        values = (_number(each["chosen"]), runner_up, _number(each["usual"]))
        yield (each["name"], *values, each["unit"], each["meaning"])


def _opinion(one: Document, opinion: Document) -> str:
    if opinion["unavailable"]:
        return f"{opinion['part']}: {opinion['unavailable']}\n"
    chosen, *others = (node["node"] for node in one["bestNodes"])
    text = f"{opinion['part']}: {_model(opinion['model'])} predicts {_number(opinion['chosen'])} for {chosen}"
    if opinion["points"] is None:
        return f"{text}\n"
    text += f" and {_number(opinion['runnerUp'])} for {others[0]}: {opinion['points']:+.2f} points"
    shown = opinion["contributions"][:MOST_FEATURES]
    if not shown:
        return f"{text}\n"
    text += ", of which\n" if opinion["exact"] else ", of which, estimated,\n"
    rows = [(f"  {each['points']:+.2f}", each["feature"], *_values(one, each["feature"])) for each in shown]
    rest = sum(each["points"] for each in opinion["contributions"][MOST_FEATURES:])
    if len(opinion["contributions"]) > MOST_FEATURES:
        rows.append((f"  {rest:+.2f}", f"{len(opinion['contributions']) - MOST_FEATURES} others"))
    return text + _table(rows)


def _values(one: Document, feature: str) -> Sequence[str]:
    for each in one["features"]:
        if each["name"] == feature and each["runnerUp"] is not None:
            return (f"{_number(each['chosen'])} against {_number(each['runnerUp'])} {each['unit']}",)
    return ()


def _table(rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be, with two spaces between."""
    lines = [list(row) for row in rows]
    widths = [max((len(row[n]) for row in lines if n < len(row)), default=0) for n in range(max(map(len, lines)))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() + "\n" for row in lines
    )


def _pod(one: Document) -> str:
    return f"{one['pod']['namespace']}/{one['pod']['name']}"


def _model(model: Document) -> str:
    return f"{model['name']}@{model['version']}"


def _seconds(at: str) -> str:
    return at[:19] + "Z"


def _score(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
