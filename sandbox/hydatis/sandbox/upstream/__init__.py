"""Kubernetes' own end-to-end tests for schedulers, run against the sandbox: `hydatis sandbox e2e`."""
