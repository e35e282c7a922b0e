"""Tries a model in a process of its own, so that weights that crash it, hang it or fill the memory do no harm.

`try_model` starts `python -m hydatis.operator.model_trial`, writes one line of JSON and the bytes to its input, and
reads one line of JSON back. The process has bounds on memory and time, a low priority, and is the first that the
kernel ends when memory runs out. What it found sound is loaded by the operator itself, without judging the graph again.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import ModelSpec
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.weights import Weights

TRIAL_SECONDS = 120.0
"""Of wall-clock time, on a machine that has other things to do."""
CPU_SECONDS = 30
NICENESS = 5
"""About a third of what scheduling gets of a core that both want: with less, a busy one would never come to an end."""
MEMORY_BYTES = 384 * 2**20
"""Private memory of the trial: the interpreter, ONNX Runtime and the model."""
MOST_SECONDS_A_BATCH = 0.5
"""For `TIMED_ROWS` rows; a scheduling cycle must not take longer for what a model adds to it."""
TIMED_ROWS = 1000
_ATTEMPTS = 2
_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class TrialPassed:
    """A model that may be loaded."""

    size: int
    """Bytes of the unpacked ONNX file."""
    width: int
    """How many features a row has."""


async def try_model(spec: ModelSpec, weights: Weights, width: int | None) -> TrialPassed:
    """Try a model. Raises ModelRefused: also when the process did not come to an end."""
    header = {
        "name": spec.name,
        "kind": spec.kind.value,
        "version": spec.version,
        "schemaHash": spec.schema_hash,
        "sha256": spec.sha256,
        "width": width,
        "packed": weights.packed,
        "path": weights.path,
        "chunks": [len(chunk) for chunk in weights.chunks],
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hydatis.operator.model_trial"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_ANSWER_BYTES,
    )
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            question = b"".join((json.dumps(header).encode(), b"\n", *weights.chunks))
            answer, _ = await process.communicate(question)
    except TimeoutError:
        raise _failed(f"it did not end within {TRIAL_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        found: Mapping[str, Any] = json.loads(answer)
    except ValueError:
        raise _failed(_how_it_ended(process.returncode)) from None
    if "reason" in found:
        raise ModelRefused(Refusal(found["reason"]), str(found["message"]))
    return TrialPassed(int(found["size"]), int(found["width"]))


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code} ended it, of too much time or memory as a rule"
    return f"it ended with status {code} and no answer, for want of memory as a rule"


def _failed(problem: str) -> ModelRefused:
    return ModelRefused(
        Refusal.TRIAL_FAILED, f"spec.weights was tried in a process of its own, and {problem}: use a smaller model"
    )


def _main() -> None:
    _bound()
    header = json.loads(sys.stdin.buffer.readline())
    chunks = tuple(sys.stdin.buffer.read(length) for length in header["chunks"])
    try:
        size, width = _try(header, Weights(chunks, header["packed"], header["path"]))
        found: dict[str, Any] = {"size": size, "width": width}
    except ModelRefused as refused:
        found = {"reason": refused.reason.value, "message": refused.message}
    except MemoryError:
        found = {"reason": Refusal.TRIAL_FAILED.value, "message": _failed("it ran out of memory").message}
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    # Not through the interpreter's end, in which a damaged heap may still crash.
    os._exit(0)


def _bound() -> None:
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    os.nice(NICENESS)
    for limit, amount in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_DATA, MEMORY_BYTES),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (amount, amount))


def _try(header: Mapping[str, Any], weights: Weights) -> tuple[int, int]:
    data = weights.read(header["sha256"])
    import numpy as np  # noqa: PLC0415 - the operator imports this module before it has any model

    from hydatis.scheduler.models.onnx_model import OnnxModel  # noqa: PLC0415

    model = OnnxModel.load(
        data,
        kind=ModelKind(header["kind"]),
        name=header["name"],
        version=header["version"],
        schema_hash=header["schemaHash"],
        width=header["width"],
    )
    rows = np.random.default_rng(1).normal(0.0, 1.0, (TIMED_ROWS, model.width)).astype(np.float32)
    fastest = float("inf")
    for _ in range(_ATTEMPTS):
        started = time.process_time()
        model.predict(rows)
        fastest = min(fastest, time.process_time() - started)
        if fastest <= MOST_SECONDS_A_BATCH:
            return len(data), model.width
    raise ModelRefused(
        Refusal.TOO_SLOW,
        f"spec.weights takes {fastest:.1f} s for {TIMED_ROWS} nodes, more than {MOST_SECONDS_A_BATCH} s: "
        "use a smaller model",
    )


if __name__ == "__main__":
    _main()
