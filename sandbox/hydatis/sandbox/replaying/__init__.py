"""One workload of the simulations, replayed on a real cluster and held against the simulation of it."""
