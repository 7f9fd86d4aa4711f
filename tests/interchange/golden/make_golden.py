#!/usr/bin/python3
"""Makes torch_vae.safetensors, the state dict of a small variational autoencoder that PyTorch trained, and golden.safetensors,
what PyTorch computes with it for the first test images of MNIST.

The module names are those of a plain PyTorch program: `encoder.body` is a sequence of (Linear, BatchNorm1d, ReLU), Linear.weight is
[out, in]. Trained in f32, evaluated in f64: what is compared with it has rounding errors of its own only.

    make_golden.py            writes both files beside this one
    make_golden.py --check    evaluates the weights that are there again, and compares with the file that is there
"""
import gzip
import os
import sys

import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
import golden_file

DATA = os.path.join(HERE, "../../../examples/data/mnist")
WEIGHTS = os.path.join(HERE, "torch_vae.safetensors")
PIXELS, HIDDEN, LAYERS, LATENT = 784, 16, 3, 2
TRAINED, EVALUATED, BATCH, EPOCHS = 6000, 200, 100, 3


def images(split, count):
    with gzip.open(os.path.join(DATA, f"{split}-images-idx3-ubyte.gz")) as f:
        f.read(16)
        raw = bytearray(f.read(count * PIXELS))
    return torch.frombuffer(raw, dtype=torch.uint8).view(count, PIXELS) / 255.0


def body(inputs):
    def block(fan_in):
        return nn.Sequential(nn.Linear(fan_in, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU())
    return nn.Sequential(block(inputs), *(block(HIDDEN) for _ in range(LAYERS - 1)))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = body(PIXELS)
        self.mean, self.logvar = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = body(LATENT)
        self.out = nn.Linear(HIDDEN, PIXELS)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, x, epsilon):
        """Reconstruction and divergence per image, in nats."""
        h = self.encoder.body(x)
        mean, logvar = self.encoder.mean(h), self.encoder.logvar(h)
        z = mean + torch.exp(0.5 * logvar) * epsilon
        logits = self.decoder.out(self.decoder.body(z))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        return reconstruction, 0.5 * (mean * mean + logvar.exp() - 1 - logvar).sum(1)


def train():
    torch.manual_seed(1)
    model, x = Vae(), images("train", TRAINED)
    adam = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(EPOCHS):
        for batch in x.split(BATCH):
            reconstruction, divergence = model(batch, torch.randn(len(batch), LATENT))
            adam.zero_grad()
            (reconstruction + divergence).mean().backward()
            adam.step()
    golden_file.write_safetensors(WEIGHTS, model.state_dict(), {"format": "pt"})


def evaluation():
    model = Vae()
    weights, _ = golden_file.read_safetensors(WEIGHTS)
    model.load_state_dict(weights)
    model.double().eval()
    epsilon = torch.randn(EVALUATED, LATENT, generator=torch.Generator().manual_seed(2))
    reconstruction, divergence = model(images("t10k", EVALUATED).double(), epsilon.double())
    print(f"-ELBO {(reconstruction + divergence).mean():.6f} = {reconstruction.mean():.6f} + {divergence.mean():.6f}")
    return {"epsilon": epsilon, "reconstruction": reconstruction, "divergence": divergence}


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--check" not in sys.argv:
        train()
    golden_file.main(os.path.join(HERE, "golden.safetensors"), evaluation)
