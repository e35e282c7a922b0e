"""GPU sharing in thousandths, on top of the decision core: which part of which device each pod holds.

Kubernetes counts devices in whole numbers; Alibaba's open-gpu-share gives pods parts of one. A pod asks for the
extended resource `GPU_MILLI` of `demands`: below 1000 it is a part of one device, else whole devices.
"""
