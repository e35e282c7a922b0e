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
