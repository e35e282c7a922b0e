"""What a decision costs in the decision core alone, without any cluster: `hydatis bench core`."""
