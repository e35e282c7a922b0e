"""Reads the fields of a decoded manifest and gathers every error with its path.

`policy` and `label_selectors` read their manifests through it. Invariants: whatever the manifest holds (wrong types
anywhere, texts of megabytes, nesting of any depth), reading adds errors and never raises; an error's text is short, on
one line, and can be encoded as UTF-8. A field that is null counts as absent, as it does for the API server.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SHOWN_CHARACTERS = 64
"""Longest part of a user's own text that an error repeats: the longest label value there can be, and one more."""

SHOWN_FIELDS = 8
"""Most unknown fields that one error names; the rest is counted."""

_SHOWN_DIGITS_LIMIT = 10**18
"""Integers beyond this are described, not printed: Python refuses to print very long ones."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; as text it is one sentence: the path, the problem and the remedy."""

    path: str
    """The field, as Kubernetes writes paths: `spec.selector.namespaces[2]`."""
    problem: str
    """Completes the sentence that begins with the path: "must be an integer, not a list"."""
    remedy: str
    """What to do about it, in the imperative."""

    def __str__(self) -> str:
        return f"{self.path} {self.problem}: {self.remedy}"


class FieldsInvalid(Exception):  # noqa: N818 - it says what the manifest is, as Kubernetes' own "Invalid" does
    """A manifest has errors; `errors` holds all of them, in the order of the fields."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors: tuple[FieldError, ...] = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


def quoted(text: str) -> str:
    """The text in quotes, cut at `SHOWN_CHARACTERS`, with everything escaped that does not print."""
    return repr(text) if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]!r}…"


def described(value: object) -> str:
    """A short noun phrase for any decoded value: `the text 'high'`, `the number 7`, `a list`."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {quoted(value)}"
        case int() if abs(value) >= _SHOWN_DIGITS_LIMIT:
            return "a number of more than 18 digits"
        case int() | float():
            return f"the number {value}"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"a value of type {type(value).__name__}"


def keyed(path: str, key: object) -> str:
    """The path of one entry of a map, `path[key]`; a key that is long or does not print is quoted and cut."""
    if isinstance(key, str) and len(key) <= SHOWN_CHARACTERS and key.isprintable():
        return f"{path}[{key}]"
    return f"{path}[{quoted(key) if isinstance(key, str) else described(key)}]"


class FieldReader:
    """Reads typed fields out of untyped ones; a field that cannot be read gives its default and one error."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def refuse(self, path: str, problem: str, remedy: str) -> None:
        """Adds one error."""
        self.errors.append(FieldError(path, problem, remedy))

    def fields(self, value: object, path: str, known: Collection[str]) -> Mapping[str, Any]:
        """The object with only the fields listed; others are refused by name. Absent or not an object: empty."""
        entries = self.entries(value, path)
        unknown = [name for name in entries if name not in known]
        if unknown:
            named = ", ".join(quoted(name) for name in unknown[:SHOWN_FIELDS])
            more = f" and {len(unknown) - SHOWN_FIELDS} more" if len(unknown) > SHOWN_FIELDS else ""
            plural = "s" if len(unknown) > 1 else ""
            remedy = f"remove or correct the name{plural}; the fields here are {', '.join(known)}"
            self.refuse(path or "the manifest", f"has the unknown field{plural} {named}{more}", remedy)
        return {name: entries[name] for name in known if entries.get(name) is not None}

    def entries(self, value: object, path: str, *, max_items: int | None = None) -> Mapping[str, Any]:
        """The entries of an object whose keys are free; absent, too many or not an object: empty."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.refuse(
                path or "the manifest", f"must be an object, not {described(value)}", "write it as `name: value` lines"
            )
            return {}
        if max_items is not None and len(value) > max_items:
            self.refuse(path, f"has {len(value)} entries, more than the {max_items} allowed", "remove some")
            return {}
        entries = {}
        for key, entry in value.items():
            if isinstance(key, str):
                entries[key] = entry
            else:
                self.refuse(keyed(path, key), "has a name that is not text", "put the name in quotes")
        return entries

    def items(self, value: object, path: str, *, max_items: int | None = None) -> tuple[Any, ...]:
        """The items of a list; absent, too long or not a list: empty."""
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.refuse(path, f"must be a list, not {described(value)}", "write one `- item` line for each item")
            return ()
        if max_items is not None and len(value) > max_items:
            self.refuse(path, f"has {len(value)} items, more than the {max_items} allowed", "remove some")
            return ()
        return tuple(value)

    def text(self, value: object, path: str) -> str | None:
        """The text, or None."""
        if isinstance(value, str):
            return value
        self.refuse(path, f"must be text, not {described(value)}", "put the value in quotes")
        return None

    def integer(self, value: object, path: str, *, minimum: int, maximum: int) -> int | None:
        """The integer if it lies in [minimum, maximum], or None.

        A number such as 3.0 counts as an integer, as it does in JSON Schema and so for the API server.
        """
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        remedy = f"give a whole number from {minimum} to {maximum}"
        if isinstance(number, bool) or not isinstance(number, int):
            self.refuse(path, f"must be an integer, not {described(value)}", remedy)
            return None
        if not minimum <= number <= maximum:
            self.refuse(path, f"is {described(value)}, which is out of range", remedy)
            return None
        return number
