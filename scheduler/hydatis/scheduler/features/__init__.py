"""What models see of nodes and pods: one definition for training, simulation and live scoring."""
