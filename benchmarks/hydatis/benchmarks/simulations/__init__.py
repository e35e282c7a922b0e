"""What simulations cost, by policy and cluster size: `hydatis bench simulations`."""
