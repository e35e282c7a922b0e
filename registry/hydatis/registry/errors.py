"""What can go wrong with a command of `hydatis model`, as the user reads it."""


class RegistryError(Exception):
    """The command cannot go on; the text is one sentence or two with the remedy."""


class NotInRegistry(RegistryError):  # noqa: N818 - named after what happened
    """The registry has no such version."""


def printable(text: str, most: int = 200) -> str:
    """Return text from a registry or a cluster as a terminal may see it: on one line, without control characters."""
    clean = "".join(character if character.isprintable() else "?" for character in text[: most + 1])
    return clean if len(clean) <= most else f"{clean[:most]}…"
