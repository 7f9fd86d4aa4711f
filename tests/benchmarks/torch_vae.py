#!/usr/bin/python3
"""The same network and the same work in PyTorch: median times of a training step and of inference, as one JSON line.

Settings are the best that we found for Debian 12's PyTorch 1.13: threads set before torch is loaded, ATen's AVX-512 kernels,
the single-tensor Adam. The caller chooses the OpenMP flavour of OpenBLAS and keeps malloc from giving memory back (bench.py).
"""
import argparse
import json
import os
import statistics
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--hidden", type=int, default=512)
parser.add_argument("--layers", type=int, default=3)
parser.add_argument("--latent", type=int, default=2)
parser.add_argument("--steps", type=int, default=100)
args = parser.parse_args()

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # read once, when the libraries are loaded
    os.environ[name] = str(args.threads)
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx512")

import torch  # noqa: E402
from torch import nn  # noqa: E402

PIXELS, WARMUP, BATCHES = 784, 20, 64


def body(inputs):
    layers = []
    for i in range(args.layers):
        layers += [nn.Linear(inputs if i == 0 else args.hidden, args.hidden), nn.BatchNorm1d(args.hidden), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = body(PIXELS)
        self.mean = nn.Linear(args.hidden, args.latent)
        self.log_variance = nn.Linear(args.hidden, args.latent)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h), self.log_variance(h)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = body(args.latent)
        self.logits = nn.Linear(args.hidden, PIXELS)

    def forward(self, z):
        return self.logits(self.body(z))


def median_ms(run, seconds=0.6, least=20):
    end = time.perf_counter() + seconds / 5
    while time.perf_counter() < end:
        run()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < least:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1e3, 4)


def main():
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    encoder, decoder = Encoder(), Decoder()
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3, foreach=False)
    images = torch.rand(BATCHES * args.batch, PIXELS)
    images *= torch.rand(images.shape) < 0.2  # four fifths are zero, as in MNIST

    def step(i):
        x = images[i % BATCHES * args.batch:][:args.batch]
        adam.zero_grad(set_to_none=True)
        mean, log_variance = encoder(x)
        logits = decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
        reconstruction = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).sum()
        ((reconstruction + divergence) / x.size(0)).backward()
        adam.step()

    times = []
    for i in range(WARMUP + args.steps):
        start = time.perf_counter()
        step(i)
        times.append(time.perf_counter() - start)
    times = sorted(times[WARMUP:])
    result = {"train_ms": round(statistics.median(times) * 1e3, 4)}
    encoder.eval()
    decoder.eval()
    with torch.inference_mode():
        for batch in (1, 128, 1024):
            x, z = images[:batch].clone(), torch.randn(batch, args.latent)
            result[f"encoder_ms_{batch}"] = median_ms(lambda: encoder(x))
            result[f"decoder_ms_{batch}"] = median_ms(lambda: torch.sigmoid(decoder(z)))
    print(json.dumps(result))


main()
