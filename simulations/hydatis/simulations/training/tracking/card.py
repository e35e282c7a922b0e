"""The model card: what somebody needs to know before putting a model to use, as Markdown."""

from collections.abc import Sequence


def card_text(*, title: str, what: str, data: str, results: str, limits: Sequence[str], reproduce: str) -> str:
    """Return the card.

    `what` says what the model predicts and how it is used, `results` how good it is beside baselines (a table, with
    intervals where there are any), `limits` what it cannot be expected to do, `reproduce` is the command that trains
    the same model again.
    """
    lines = [f"# {title}", "", what.strip(), ""]
    lines += ["## Data", "", data.strip(), ""]
    lines += ["## How good it is", "", results.strip(), ""]
    lines += ["## Limits", "", *(f"- {limit}" for limit in limits), ""]
    lines += ["## Reproduce", "", "```sh", reproduce.strip(), "```", ""]
    return "\n".join(lines)


def results_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, numbers to the right: the first column names what a row is about."""
    lines = ["| " + " | ".join(titles) + " |", "| --- |" + " ---: |" * (len(titles) - 1)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
