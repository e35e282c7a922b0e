"""What can go wrong with a simulation, as the user reads it."""


class SimulationError(Exception):
    """A simulation cannot start or go on; the text is one sentence with the remedy."""
