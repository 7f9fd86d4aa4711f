"""Where weft's programs and those of its peers are, or why they are not."""
from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

from .rounds import Missing, Program, say

PEERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers")
PYTHON = "/usr/bin/python3"  # Debian's, which Debian's python3-torch belongs to


@dataclass(frozen=True)
class Shape:
    """Of the autoencoder; the default is the tutorial's."""
    batch: int = 128
    hidden: int = 512
    layers: int = 3
    latent: int = 2

    def options(self) -> tuple[str, ...]:
        return ("--batch", str(self.batch), "--hidden", str(self.hidden), "--layers", str(self.layers), "--latent",
                str(self.latent))


class Programs:
    def __init__(self, build: str) -> None:
        self.build = build
        self.has_torch = subprocess.run([PYTHON, "-c", "import torch"], capture_output=True, check=False).returncode == 0
        self._exported = False

    def _built(self, name: str) -> str:
        return os.path.join(self.build, "tests", "benchmarks", name)

    def _models(self, *arguments: str) -> Program:
        return Program("weft", (self._built("weft_model"), "--threads", "{threads}", *arguments))

    def _torch(self, *arguments: str) -> Program | Missing:
        if not self.has_torch:
            return Missing("PyTorch", "Debian: python3-torch")
        return Program("PyTorch", (PYTHON, os.path.join(PEERS, "torch_model.py"), "--threads", "{threads}", *arguments))

    def _export(self) -> str | None:
        """The directory of encoder and decoder for those that only run them."""
        directory = os.path.join(self.build, "bench_models")
        if not self._exported and self.has_torch:
            done = subprocess.run([PYTHON, os.path.join(PEERS, "torch_model.py"), "--export", directory],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                say(f"models could not be exported: {done.stderr.strip()[-300:]}")
                self.has_torch = False
            self._exported = True
        return directory if self.has_torch else None

    def _libtorch(self, argument: str) -> Program | Missing:
        path = self._built("libtorch_model")
        if not os.path.exists(path):
            return Missing("libtorch", "Debian: libtorch-dev")
        return Program("libtorch", (path, "{threads}", argument))

    def _onnx_runtime(self, models: str) -> Program | Missing:
        module = os.path.join(self.build, "onnxruntime", "node_modules", "onnxruntime-node")
        if not shutil.which("node"):
            return Missing("ONNX Runtime", "Debian: nodejs")
        if not os.path.exists(module):
            return Missing("ONNX Runtime", "./run bench --peers installs it by npm")
        return Program("ONNX Runtime", ("node", os.path.join(PEERS, "onnx_model.js"), module, models, "{threads}"))

    def _composed(self) -> Program | Missing:
        path = self._built("composed")
        if not os.path.exists(path):
            return Missing("composed", "Debian: libdnnl-dev")
        return Program("composed", (path,), {"OMP_PROC_BIND": "true"})

    def machine(self) -> list[Program | Missing]:
        return [Program("weft", (self._built("weft_machine"), "{threads}"))]

    def products(self) -> list[Program | Missing]:
        result: list[Program | Missing] = []
        for name, file, package in (("weft", "weft", ""), ("OpenBLAS", "openblas", "libopenblas-dev"),
                                    ("oneDNN", "onednn", "libdnnl-dev")):
            path = self._built(f"products_{file}")
            result.append(Program(name, (path, "--threads", "{threads}")) if os.path.exists(path) else
                          Missing(name, f"Debian: {package}"))
        return result

    def model(self, shape: Shape) -> list[Program | Missing]:
        result = [self._models("--inference", *shape.options()), self._torch("--inference", *shape.options())]
        if shape != Shape():
            return result
        models = self._export()
        if models is None:
            result += [Missing("libtorch", "needs PyTorch's models"), Missing("ONNX Runtime", "needs PyTorch's models")]
        else:
            result += [self._libtorch(models), self._onnx_runtime(models)]
        return [*result, self._composed()]

    def training(self, *arguments: str) -> list[Program | Missing]:
        """A row of the matrix: both programs take the same options."""
        return [self._models(*arguments), self._torch(*arguments)]

    def start_up(self) -> list[Program | Missing]:
        return [self._models("--start-up"), self._torch("--start-up"), self._libtorch("--start-up")]
