"""What trying mutants raises; the command shows it as one sentence."""


class MutateError(Exception):
    """Mutants could not be tried; the text says why and what to do."""
