"""Holds the decision core against kube-scheduler's own plugins, on random clusters: `hydatis verify`."""
