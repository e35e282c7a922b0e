"""Every figure about the models in one document, from the models that ship: `hydatis evaluate`."""
