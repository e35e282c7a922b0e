"""Tables of the documentation and of model cards."""

from collections.abc import Container, Iterable, Sequence


def results_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, texts: Container[int] = (0,)) -> str:
    """Return a Markdown table, numbers to the right: `texts` are the columns that stand to the left."""
    aligned = ["---" if column in texts else "---:" for column in range(len(titles))]
    lines = ["| " + " | ".join(titles) + " |", "| " + " | ".join(aligned) + " |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
