"""What can go wrong in a replay, as the user reads it."""


class ReplayError(Exception):
    """The replay cannot start or go on; the text is one sentence with the remedy."""
