"""What can go wrong in the demo, as the user reads it."""


class DemoError(Exception):
    """The demo cannot start or go on; the text is one sentence with the remedy."""
