"""The decision core of HYDATIS: cluster events in, instructions out.

Two drivers feed it and nothing else decides a placement: `hydatis.operator` from a live API server,
`hydatis.simulations` in virtual time. The core does no I/O, reads no clock and holds no global random state: each
call brings the time, and the generator that breaks ties is passed in once. The same events at the same times with the
same seed give the same instructions.
"""
