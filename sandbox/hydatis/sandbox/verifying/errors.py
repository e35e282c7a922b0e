"""What a verification raises; the command shows it as one sentence."""


class VerifyError(Exception):
    """A verification could not be done; the text says why and what to do."""
