"""What can go wrong in a benchmark, as the user reads it."""


class BenchError(Exception):
    """The benchmark cannot start or go on; the text is one sentence with the remedy."""
