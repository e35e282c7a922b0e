"""Placement policies to compare with, each in the terms of its source, as plugins of the decision core.

`policies` names them. One score is one file. Those that look at GPUs are from kubernetes-scheduler-simulator
(pkg/simulator/plugin), the simulator of the FGD paper (Weng, Yang et al., «Beware of Fragmentation», USENIX ATC 2023),
at 8f3d6417353c; those that look at measured use are from the schedulers that their files name. Scores are integers
from 0 to 100, the higher the better, unless a file says otherwise.
"""
