"""Reads the Go tool module: which programs it pins, at which versions, and the key their binaries are cached under.

go.mod is the only place where versions are written; everything else asks here.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hydatis.sandbox.errors import SandboxError


class Program(StrEnum):
    """A program of the tool module, by the name of its binary."""

    ETCD = "etcd"
    APISERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"
    KUBECTL = "kubectl"
    KWOK = "kwok"
    HELM = "helm"

    @property
    def package(self) -> str:
        """The Go package that builds it."""
        return _PACKAGES[self]

    @property
    def module(self) -> str:
        """The Go module whose version is the program's version."""
        return _MODULES.get(self, "k8s.io/kubernetes")


_PACKAGES = {
    Program.ETCD: "go.etcd.io/etcd/server/v3",
    Program.APISERVER: "k8s.io/kubernetes/cmd/kube-apiserver",
    Program.CONTROLLER_MANAGER: "k8s.io/kubernetes/cmd/kube-controller-manager",
    Program.SCHEDULER: "k8s.io/kubernetes/cmd/kube-scheduler",
    Program.KUBECTL: "k8s.io/kubernetes/cmd/kubectl",
    Program.KWOK: "sigs.k8s.io/kwok/cmd/kwok",
    Program.HELM: "helm.sh/helm/v3/cmd/helm",
}
_MODULES = {
    Program.ETCD: "go.etcd.io/etcd/server/v3",
    Program.KWOK: "sigs.k8s.io/kwok",
    Program.HELM: "helm.sh/helm/v3",
}

_GO_LINE = re.compile(r"^go\s+(\S+)", re.MULTILINE)
_REQUIREMENT = re.compile(r"^(?:require\s+|\s+)(\S+)\s+(v\d\S*)", re.MULTILINE)
_LEADING_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """The first three numbers of a version; what follows them (`-rc.1`, `+build`) does not count here."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def find(cls, text: str) -> "Version | None":
        """The first version in `text`, or None."""
        found = _LEADING_VERSION.search(text)
        return None if found is None else cls(int(found[1]), int(found[2]), int(found[3] or 0))

    def same_minor(self, other: "Version") -> bool:
        """True if both agree in major and minor: what Kubernetes calls no version skew."""
        return (self.major, self.minor) == (other.major, other.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class ToolModule:
    """The tool module in `folder`."""

    folder: Path
    go_version: Version
    """The oldest Go that builds it."""
    requirements: Mapping[str, str]
    """Module path to version, `v` included; only modules that go.mod requires."""
    key: str
    """First 16 hexadecimal digits of go.sum's SHA-256: binaries built from another go.sum are other binaries."""

    @classmethod
    def read(cls, folder: Path) -> "ToolModule":
        """Read go.mod and go.sum in `folder`. Raises `SandboxError` where one is missing or pins no version."""
        try:
            text = (folder / "go.mod").read_text(encoding="utf-8")
            checksums = (folder / "go.sum").read_bytes()
        except OSError as error:
            raise SandboxError(f"cannot read the Go tool module: {error}; install HYDATIS again") from error
        go_line = _GO_LINE.search(text)
        go_version = None if go_line is None else Version.find(go_line[1])
        if go_version is None:
            raise SandboxError(f"{folder / 'go.mod'} has no `go` line; restore the file")
        requirements = dict(_REQUIREMENT.findall(text))
        for program in Program:
            if program.module not in requirements:
                raise SandboxError(f"{folder / 'go.mod'} does not require {program.module}; restore the file")
        return cls(folder, go_version, requirements, hashlib.sha256(checksums).hexdigest()[:16])

    def version_text(self, program: Program) -> str:
        """The pinned version of `program` as go.mod writes it, such as `v1.37.2`."""
        return self.requirements[program.module]

    def version(self, program: Program) -> Version:
        """The pinned version of `program`."""
        found = Version.find(self.version_text(program))
        if found is None:
            raise SandboxError(f"go.mod's version of {program.module} is not a version: {self.version_text(program)}")
        return found
