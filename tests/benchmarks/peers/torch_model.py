#!/usr/bin/python3
"""The same models and the same work in PyTorch: median times of a training step and of inference, for whoever asks (answers.h).

    torch_model.py --threads 2 --inference
    torch_model.py --model classifier --hidden 64 --layers 32
    torch_model.py --start-up            # a line behind the first step, then some more, then the end
    torch_model.py --export DIRECTORY    # encoder and decoder as ONNX (encoder.onnx) and TorchScript (encoder.pt)

Settings are the best that we found for Debian 12's PyTorch 1.13: threads set before torch is loaded, ATen's widest kernels, the
single-tensor Adam; inference with batch normalisation folded into the layers and the module frozen. The caller chooses the OpenMP
flavour of OpenBLAS and keeps malloc from giving memory back.
"""
import argparse
import copy
import json
import os
import statistics
import sys
import time
from collections.abc import Callable

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", choices=["vae", "classifier"], default="vae")
parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
for name, default in (("threads", 1), ("batch", 128), ("hidden", 512), ("layers", 3), ("latent", 2)):
    parser.add_argument(f"--{name}", type=int, default=default)
parser.add_argument("--inference", action="store_true", help="encoder and decoder, too")
parser.add_argument("--start-up", action="store_true")
parser.add_argument("--export", metavar="DIRECTORY")
args = parser.parse_args()

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # read once, when the libraries are loaded
    os.environ[name] = str(args.threads)

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

PIXELS, CLASSES = 784, 10


def body(inputs: int, normalise: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(args.layers):
        layers.append(nn.Linear(inputs if i == 0 else args.hidden, args.hidden))
        if normalise:
            layers.append(nn.BatchNorm1d(args.hidden))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = body(PIXELS, normalise=True)
        self.mean = nn.Linear(args.hidden, args.latent)
        self.log_variance = nn.Linear(args.hidden, args.latent)

    def forward(self, x: Tensor):
        h = self.body(x)
        return self.mean(h), self.log_variance(h)


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = body(args.latent, normalise=True)
        self.logits = nn.Linear(args.hidden, PIXELS)

    def forward(self, z: Tensor) -> Tensor:
        return self.logits(self.body(z))


class Vae(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, x: Tensor) -> Tensor:
        mean, log_variance = self.encoder(x)
        logits = self.decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
        reconstruction = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).sum()
        return (reconstruction + divergence) / x.size(0)


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Sequential(*body(PIXELS, normalise=False), nn.Linear(args.hidden, CLASSES))
        self.label = torch.arange(args.batch) % CLASSES

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.logits(x), self.label)


class Training:
    """Steps of Adam on batches of random images that take turns."""

    def __init__(self, batches: int) -> None:
        torch.manual_seed(1)
        self.model = Vae() if args.model == "vae" else Classifier()
        self.adam = torch.optim.Adam(self.model.parameters(), lr=1e-3, foreach=False)
        images = torch.rand(batches * args.batch, PIXELS)
        images *= torch.rand(images.shape) < 0.2  # four fifths are zero, as in MNIST
        self.batches = images.split(args.batch)
        self.next = 0

    def step(self) -> None:
        x = self.batches[self.next % len(self.batches)]
        self.next += 1
        self.adam.zero_grad(set_to_none=True)
        self.model(x).backward()
        self.adam.step()


def median_ms(run, seconds: float) -> float:
    times: list[float] = []
    run()  # does not count: others had the caches before it
    while not times or sum(times) < 1e3 * seconds:
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def fold(sequence: nn.Sequential) -> nn.Sequential:
    """Batch normalisation by running statistics is part of the linear layer before it."""
    layers: list[nn.Module] = []
    with torch.no_grad():
        for layer in sequence:
            if isinstance(layer, nn.BatchNorm1d):
                linear = layers[-1]
                scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
                linear.bias.copy_((linear.bias - layer.running_mean) * scale + layer.bias)
                linear.weight.mul_(scale[:, None])
            else:
                layers.append(layer)
    return nn.Sequential(*layers)


def halves(model: Vae) -> dict[str, nn.Module]:
    """Encoder, and decoder with its sigmoid, ready for inference."""
    model.eval()
    for half in (model.encoder, model.decoder):
        half.body = fold(half.body)
    return {"encoder": model.encoder, "decoder": nn.Sequential(model.decoder, nn.Sigmoid()).eval()}


def frozen(net: nn.Module) -> torch.jit.ScriptModule:
    return torch.jit.freeze(torch.jit.script(net))


def inference(model: Vae) -> dict[str, Callable[[], object]]:
    runs = {}
    for name, net in halves(copy.deepcopy(model)).items():
        net = frozen(net)
        for batch in (1, 128, 1024):
            x = torch.rand(batch, PIXELS if name == "encoder" else args.latent)
            runs[f"{name}_ms_{batch}"] = torch.inference_mode()(lambda net=net, x=x: net(x))
            for _ in range(3):  # it is compiled in the first runs
                runs[f"{name}_ms_{batch}"]()
    return runs


def export(model: Vae, directory: str) -> None:
    os.makedirs(directory, exist_ok=True)
    for name, net in halves(model).items():
        x = torch.rand(1, PIXELS if name == "encoder" else args.latent)
        outputs = ["mean", "log_variance"] if name == "encoder" else ["y"]
        frozen(net).save(f"{directory}/{name}.pt")
        torch.onnx.export(net, x, f"{directory}/{name}.onnx", input_names=["x"], output_names=outputs, opset_version=13,
                          dynamic_axes={axis: {0: "n"} for axis in ["x", *outputs]})


def main() -> None:
    torch.set_num_threads(args.threads)
    torch.set_default_dtype(getattr(torch, args.dtype))
    training = Training(batches=1 if args.start_up or args.export else min(max(8192 // args.batch, 1), 64))
    if args.export:
        export(training.model, args.export)
    elif args.start_up:
        training.step()
        print("first step", flush=True)
        for _ in range(20):
            training.step()
    else:
        figures = {"train_ms": training.step} | (inference(training.model) if args.inference else {})
        print(json.dumps({"version": torch.__version__, "figures": list(figures)}), flush=True)
        for line in sys.stdin:
            seconds, name = line.split(maxsplit=1)
            print(median_ms(figures[name.strip()], float(seconds)), flush=True)


main()
