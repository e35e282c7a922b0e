"""The Gymnasium environment in which an agent learns to place pods: `Hydatis/Placement-v0`.

Importing this package registers it; `gymnasium.make("hydatis.simulations.environment:Hydatis/Placement-v0")` does both.
`placement` is the environment, `observing` what the agent sees, `rewarding` what it is paid for. Needs gymnasium
(`pip install 'hydatis[simulations]'`).
"""

import gymnasium

NAME = "Hydatis/Placement-v0"

if NAME not in gymnasium.registry:
    gymnasium.register(id=NAME, entry_point="hydatis.simulations.environment.placement:Placement")
