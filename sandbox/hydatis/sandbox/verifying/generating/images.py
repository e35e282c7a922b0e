"""Images that pods want and nodes hold."""

from random import Random

from hydatis.sandbox.verifying.cases import Manifest

_NAMES = ("web", "web:1", "host.example:5000/web", "host.example:5000/web:1", "db:latest", "tools")
_SIZES = {name: size * 2**20 for name, size in zip(_NAMES, (10, 90, 300, 900, 1500, 5000), strict=True)}


def held_images(random: Random, node: Manifest) -> None:
    """Let the node hold images, each of the same size on every node."""
    held = random.sample(_NAMES, random.randint(1, 4))
    node["status"]["images"] = [{"names": _tagged(name), "sizeBytes": _SIZES[name]} for name in held]


def wanted_images(random: Random, pod: Manifest) -> None:
    """Name the containers' images."""
    for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
        container["image"] = random.choice(_NAMES)


def image_volume(random: Random, pod: Manifest) -> None:
    """Mount an image."""
    pod["spec"]["volumes"] = [{"name": "image", "image": {"reference": random.choice(_NAMES)}}]


def _tagged(name: str) -> list[str]:
    if name == "web:1":
        return [name, "web@sha256:0123"]
    return [name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"]
