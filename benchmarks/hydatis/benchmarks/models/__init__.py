"""What models cost in a decision: `hydatis bench models`."""
