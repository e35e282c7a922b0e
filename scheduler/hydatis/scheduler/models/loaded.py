"""The models that are loaded, by name, and a counter that says when they changed.

The scheduler owns it and changes it between scheduling cycles; whoever keeps what a model computed compares `version`.
"""

from collections.abc import Iterator, Mapping

from hydatis.scheduler.models.model import Model


class LoadedModels(Mapping[str, Model]):
    """Name of the MLModel to the model that is in use under it."""

    def __init__(self) -> None:
        self.version = 0
        """Grows with each change."""
        self._models: dict[str, Model] = {}

    def __getitem__(self, name: str) -> Model:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def put(self, model: Model) -> None:
        """Take the model into use, in place of the one of the same name."""
        self._models[model.name] = model
        self.version += 1

    def remove(self, name: str) -> None:
        """Take the model of this name out of use, if there is one."""
        if self._models.pop(name, None) is not None:
            self.version += 1
