"""Trained models: what the core knows of one, how its weights are read and checked, and which ones are loaded."""
