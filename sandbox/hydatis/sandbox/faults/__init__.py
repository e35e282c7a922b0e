"""Faults on purpose: a proxy before the API server that spoils chosen calls, and the burst that pods go through it in.

Used by the end-to-end tests. What is proven with it is read from the API server itself, never from the proxy.
"""
