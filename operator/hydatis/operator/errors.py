# ruff: noqa: N818 - each is named after what happened, as Kubernetes' own reasons are
"""Every error the operator raises on purpose.

```
OperatorError                  one clear sentence and a remedy; the command line prints it and exits 1
├── Misconfigured              an option, a kubeconfig or a file is wrong
├── StartRefused               the cluster lacks something HYDATIS needs: a permission, the custom resource definition
├── Unreachable                no answer: whether the request took effect is unknown
│   └── CertificateRefused     the server's certificate is not signed by the authority we trust
└── ApiError                   the API server answered with an error
    ├── Unauthorized           401
    ├── Forbidden              403
    ├── NotFound               404
    ├── Conflict               409
    ├── Expired                410
    ├── Rejected               any other 4xx
    ├── TooManyRequests        429, with the seconds to wait
    └── ServerError            5xx: whether the request took effect is unknown
```
"""


class OperatorError(Exception):
    """A fault a person can act on. `problem` is one sentence, `remedy` says what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}".rstrip()


class Misconfigured(OperatorError):
    """An option, a kubeconfig or a file cannot be used."""


class StartRefused(OperatorError):
    """The cluster lacks something without which scheduling would be wrong or silent."""


class Unreachable(OperatorError):
    """The API server gave no answer; whether the request took effect is unknown."""


class CertificateRefused(Unreachable):
    """The server's certificate does not verify."""


class ApiError(OperatorError):
    """The API server refused. `status` is the HTTP status, `message` the server's own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"The API server answered {status}: {message}")
        self.status = status
        self.message = message


class Unauthorized(ApiError):
    """401: the credentials are not valid, or no longer."""


class Forbidden(ApiError):
    """403: the credentials lack a permission, or admission said no."""


class NotFound(ApiError):
    """404: the object or its kind does not exist."""


class Conflict(ApiError):
    """409: the object changed, exists already, or is another one of the same name."""


class Expired(ApiError):
    """410: the resource version or continue token is too old; list again."""


class Rejected(ApiError):
    """Any other 4xx: the request itself is wrong, and sending it again will not help."""


class TooManyRequests(ApiError):
    """429: the server is busy and did nothing; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(429, message)
        self.retry_after = retry_after


class ServerError(ApiError):
    """5xx: the server failed on the way; whether the request took effect is unknown."""


OUTCOME_UNKNOWN = (Unreachable, ServerError)
TRANSIENT = (Unreachable, ServerError, TooManyRequests)
