"""Opens the source of workloads: the traces where HYDATIS_DATA is set, else the generator."""

import os
from collections.abc import Mapping

from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.virtual_time.made_up import MadeUp
from hydatis.simulations.virtual_time.pool import Source
from hydatis.simulations.virtual_time.recorded import Recorded


def open_source(environment: Mapping[str, str] = os.environ) -> Source:
    """Read the traces once, for any number of workloads.

    Raises:
        TraceError: HYDATIS_DATA is set and a trace cannot be read.

    """
    folder = DataFolder.if_named(environment)
    return MadeUp() if folder is None else Recorded.read(folder)
