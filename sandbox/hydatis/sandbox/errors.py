"""The sandbox's error: one clear sentence, and what to do about it."""


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the text names the reason and the remedy."""
