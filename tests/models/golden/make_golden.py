#!/usr/bin/python3
"""Makes golden.safetensors: what PyTorch computes for a small variational autoencoder, a batch normalisation and the optimisers.

All in f64 and on one thread. The tests feed the same weights, batches and noise.

    make_golden.py            writes golden.safetensors beside this file
    make_golden.py --check    recomputes and compares with the file that is there
"""
import os
import sys

import torch
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
import golden_file

PIXELS, HIDDEN, LAYERS, LATENT = 20, 16, 3, 2
BATCH, BATCHES, STEPS = 12, 4, 100
DECAY, EPSILON = 0.9, 1e-5


# ---------------------------------------------------------------- the variational autoencoder
def suffix(name, i):
    return name if i == 0 else f"{name}_{i}"


def initial_variables(generator):
    """By the paths of weft, W as [in, out]: values with no symmetry that a mistake could hide behind."""
    def normal(*shape, mean=0.0, deviation=1.0):
        return mean + deviation * torch.randn(*shape, generator=generator, dtype=torch.float64)

    variables = {}
    for scope, fan_in, heads in (("Encoder", PIXELS, {"Mean": LATENT, "LogVariance": LATENT}), ("Decoder", LATENT, {"Logits": PIXELS})):
        for i in range(LAYERS):
            affine, norm = (f"{scope}/{suffix(kind, i)}" for kind in ("FullyConnected", "BatchNormalization"))
            variables[f"{affine}/W"] = normal(fan_in, HIDDEN, deviation=fan_in ** -0.5)
            variables[f"{affine}/b"] = normal(HIDDEN, deviation=0.1)
            variables[f"{norm}/beta"] = normal(HIDDEN, deviation=0.1)
            variables[f"{norm}/gamma"] = normal(HIDDEN, mean=1.0, deviation=0.1)
            variables[f"{norm}/moving_mean"] = normal(HIDDEN, deviation=0.1)
            variables[f"{norm}/moving_variance"] = normal(HIDDEN, mean=1.0, deviation=0.05)
            fan_in = HIDDEN
        for head, units in heads.items():
            variables[f"{scope}/{head}/W"] = normal(HIDDEN, units, deviation=0.25)
            variables[f"{scope}/{head}/b"] = normal(units, deviation=0.1)
    return variables


def is_moving(name):
    return "/moving_" in name


def forward(variables, x, noise, training, beta=1.0):
    """Loss, reconstruction and divergence per sample; moves the moving averages in training."""
    def affine(name, h):
        return h @ variables[f"{name}/W"] + variables[f"{name}/b"]

    def norm(name, h):
        mean, variance = h.mean(0), h.var(0, unbiased=False)
        moving_mean, moving_variance = variables[f"{name}/moving_mean"], variables[f"{name}/moving_variance"]
        if training:
            with torch.no_grad():
                moving_mean.mul_(DECAY).add_(mean.detach(), alpha=1 - DECAY)
                moving_variance.mul_(DECAY).add_(variance.detach(), alpha=1 - DECAY)
        else:
            mean, variance = moving_mean, moving_variance
        return (h - mean) / torch.sqrt(variance + EPSILON) * variables[f"{name}/gamma"] + variables[f"{name}/beta"]

    def hidden(scope, h):
        for i in range(LAYERS):
            h = torch.relu(norm(f"{scope}/{suffix('BatchNormalization', i)}", affine(f"{scope}/{suffix('FullyConnected', i)}", h)))
        return h

    h = hidden("Encoder", x)
    mean, log_variance = affine("Encoder/Mean", h), affine("Encoder/LogVariance", h)
    z = mean + torch.exp(0.5 * log_variance) * noise
    logits = affine("Decoder/Logits", hidden("Decoder", z))
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    divergence = 0.5 * (mean ** 2 + torch.expm1(log_variance) - log_variance).sum(1)
    return (reconstruction + beta * divergence).mean(), reconstruction, divergence


def copies(variables, dtype=torch.float64):
    return {name: value.detach().to(dtype).clone().requires_grad_(not is_moving(name)) for name, value in variables.items()}


def autoencoder():
    generator = torch.Generator().manual_seed(1)
    initial = initial_variables(generator)
    x = torch.rand(BATCHES, BATCH, PIXELS, generator=generator, dtype=torch.float64)
    x = x * (torch.rand(x.shape, generator=generator) < 0.5)  # as in pictures, many exact zeros
    noise = torch.randn(STEPS, BATCH, LATENT, generator=generator, dtype=torch.float64)
    out = {"vae/x": x, "vae/noise": noise}
    out |= {f"vae/initial/{name}": value for name, value in initial.items()}

    variables = copies(initial)
    loss, reconstruction, divergence = forward(variables, x[0], noise[0], training=False)
    out |= {"vae/inference/loss": loss, "vae/inference/reconstruction": reconstruction, "vae/inference/divergence": divergence}
    loss, reconstruction, divergence = forward(variables, x[0], noise[0], training=True)
    out |= {"vae/training/loss": loss, "vae/training/reconstruction": reconstruction, "vae/training/divergence": divergence}
    loss.backward()
    out |= {f"vae/gradient/{name}": value.grad for name, value in variables.items() if not is_moving(name)}
    out["vae/training/loss_beta_0.25"] = forward(copies(initial), x[0], noise[0], training=True, beta=0.25)[0]
    out["vae/training/loss_f32"] = forward(copies(initial, torch.float32), x[0].float(), noise[0].float(), training=True)[0]

    variables = copies(initial)
    adam = torch.optim.Adam([value for name, value in variables.items() if not is_moving(name)], lr=1e-3)
    for step in range(STEPS):
        adam.zero_grad()
        loss = forward(variables, x[step % BATCHES], noise[step], training=True)[0]
        loss.backward()
        adam.step()
    out["vae/after/loss"] = loss  # of the last step, before its update
    return out | {f"vae/after/{name}": value for name, value in variables.items()}


# ---------------------------------------------------------------- batch normalisation, with the unbiased moving variance
def batch_normalization():
    generator = torch.Generator().manual_seed(2)
    layer = torch.nn.BatchNorm1d(5).double()
    with torch.no_grad():
        layer.weight.copy_(torch.rand(5, generator=generator) + 0.5)
        layer.bias.copy_(torch.randn(5, generator=generator))
    x = (3 + 2 * torch.randn(7, 5, generator=generator, dtype=torch.float64)).requires_grad_()
    weights = torch.randn(7, 5, generator=generator, dtype=torch.float64)
    y = layer(x)
    (y * weights).sum().backward()
    out = dict(x=x, weights=weights, gamma=layer.weight, beta=layer.bias, y=y, x_gradient=x.grad, gamma_gradient=layer.weight.grad,
               beta_gradient=layer.bias.grad, moving_mean=layer.running_mean, moving_variance=layer.running_var)
    return {f"batch_normalization/{name}": value for name, value in out.items()}


# ---------------------------------------------------------------- optimisers: minimise Σ ½ c (w − t)²
def optimizers():
    generator = torch.Generator().manual_seed(3)
    w, c, t = (torch.randn(3, 4, generator=generator, dtype=torch.float64) for _ in range(3))
    c = c.abs() + 0.1
    optim = torch.optim
    out = {"optimizers/w": w, "optimizers/c": c, "optimizers/t": t}
    for name, make in {
        "SGD": lambda p: optim.SGD(p, lr=0.01),
        "Momentum": lambda p: optim.SGD(p, lr=0.01, momentum=0.9),
        "Nesterov": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
        "RMSProp": lambda p: optim.RMSprop(p, lr=0.001, alpha=0.99, eps=1e-8),
        "AdaGrad": lambda p: optim.Adagrad(p, lr=0.01, eps=1e-10),
        "Adam": lambda p: optim.Adam(p, lr=0.001, eps=1e-3),  # an ε large enough to tell the conventions apart
        "AdamW": lambda p: optim.AdamW(p, lr=0.001, weight_decay=0.1),
    }.items():
        value = w.clone().requires_grad_()
        optimizer = make([value])
        for _ in range(50):
            optimizer.zero_grad()
            (0.5 * c * (value - t) ** 2).sum().backward()
            optimizer.step()
        out[f"optimizers/{name}"] = value
    return out


def is_dead_bias(name):
    """Batch normalisation takes it away again: its gradient is rounding alone, which a hundred steps of Adam have followed."""
    return "FullyConnected" in name and name.endswith("/b")


if __name__ == "__main__":
    golden_file.main(os.path.join(HERE, "golden.safetensors"), lambda: autoencoder() | batch_normalization() | optimizers(),
                     is_rounding=is_dead_bias)
