"""What can go wrong with a trace, as the user reads it.

TraceError
 ├─ TraceMissing    the folder, a file or the program part that reads it is not there
 ├─ TraceAltered    a file is not the one that SHA256SUMS names
 └─ TraceMalformed  a file is cut short, or is not what its name promises
"""


class TraceError(Exception):
    """A trace cannot be read; the text is one sentence that names the file and the remedy."""


class TraceMissing(TraceError):  # noqa: N818  named for what happened, as in the core
    """Something that is needed to read the trace is not there."""


class TraceAltered(TraceError):  # noqa: N818  named for what happened, as in the core
    """A file's bytes are not those that the checksums of its folder promise."""


class TraceMalformed(TraceError):  # noqa: N818  named for what happened, as in the core
    """A file cannot be parsed, or holds a value that cannot be."""
