"""Many runs: scenarios times policies times seeds, in this process or on Dask, each kept as a file once it is done.

`job` says what a run is and what decides its result, `one_run` runs it, `running` runs all of them here, `on_dask` in
many processes or on many machines, `kept_runs` holds what is done, so that a sweep that ended early goes on from there.
"""
