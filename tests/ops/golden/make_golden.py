#!/usr/bin/python3
"""Makes golden.safetensors: what PyTorch computes for every op that it can express, in f64 and on one thread.

A case OP/i holds the operands x0, x1, …, weights v and u0, u1, …, the result y, its gradients g0, g1, … (of the sum of v·y),
and their gradients h0, h1, … (of the sum of all u·g). The metadata has the op's attributes as weft writes them.

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

RELATIONS = {">": torch.gt, ">=": torch.ge, "==": torch.eq, "!=": torch.ne}
DTYPES = {"f32": torch.float32, "f64": torch.float64}


def run(axis, count):
    return list(range(axis, axis + count))


def transposed(x, transpose):
    return x.T if transpose else x


# By the names of weft: attributes are keywords.
OPS = {
    "Add": torch.add,
    "Subtract": torch.subtract,
    "Multiply": torch.multiply,
    "Divide": torch.divide,
    "Minimum": torch.minimum,
    "Maximum": torch.maximum,
    "Negate": torch.negative,
    "Abs": torch.abs,
    "Square": torch.square,
    "Sqrt": torch.sqrt,
    "Exp": torch.exp,
    "Log": torch.log,
    "Expm1": torch.expm1,
    "Log1p": torch.log1p,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Erf": torch.erf,
    "Relu": torch.relu,
    "LeakyRelu": lambda x, slope: F.leaky_relu(x, slope),
    "Elu": lambda x, alpha: F.elu(x, alpha),
    "Softplus": F.softplus,  # itself up to 20, beyond which PyTorch takes x
    "Compare": lambda a, b, relation: RELATIONS[relation](a, b).double(),
    "Select": lambda condition, a, b: torch.where(condition != 0, a, b),
    "Cast": lambda x, dtype: x.to(DTYPES[dtype]),
    "ReduceSum": lambda x, axis, count: x.sum(run(axis, count)),
    "ReduceMax": lambda x, axis, count: x.amax(run(axis, count)),
    "BroadcastTo": lambda x, shape: x.broadcast_to(shape),
    "Reshape": lambda x, shape: x.reshape(shape),
    "Transpose": lambda x, permutation: x.permute(permutation),
    "Slice": lambda x, axis, begin, end: x.narrow(axis, begin, end - begin),
    "Concatenate": lambda *parts, axis: torch.cat(parts, axis),
    "MatMul": lambda a, b, transpose_left, transpose_right: transposed(a, transpose_left) @ transposed(b, transpose_right),
    "StopGradient": torch.Tensor.detach,
    "SigmoidCrossEntropy": lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
    # Of several ops in weft:
    "Gelu": F.gelu,
    "Clamp": lambda x, low, high: x.clamp(low, high),
    "ReduceMean": lambda x, axes: x.mean(axes),
    "LogSoftmax": lambda x: F.log_softmax(x, -1),
}


class Cases:
    def __init__(self):
        self.generator = torch.Generator().manual_seed(4)
        self.tensors, self.metadata, self.counts = {}, {}, {}

    def draw(self, shape, low, high):
        """Not within 0.01 of 0, where some ops have a kink."""
        x = low + (high - low) * torch.rand(shape, generator=self.generator, dtype=torch.float64)
        return torch.where(x.abs() < 0.01, torch.full_like(x, min(0.5, high)), x)

    def add(self, op, shapes, *domains, **attributes):
        domains = domains or ((-3, 3),)
        x = [self.draw(shape, *domains[min(i, len(domains) - 1)]).requires_grad_() for i, shape in enumerate(shapes)]
        y = OPS[op](*x, **{key: tuple(value) if isinstance(value, list) else value for key, value in attributes.items()})
        v = self.draw(y.shape, 0.5, 1.5).to(y.dtype).requires_grad_()
        g = gradients((v * y).sum(), x)
        u = [self.draw(value.shape, 0.5, 1.5) for value in g]
        h = gradients(sum((weight * value).sum() for weight, value in zip(u, g)), x)
        number = self.counts[op] = self.counts.get(op, -1) + 1
        self.metadata[f"{op}/{number}"] = " ".join(f"{key}={text(value)}" for key, value in sorted(attributes.items()))
        for kind, values in {"x": x, "u": u, "g": g, "h": h}.items():
            self.tensors |= {f"{op}/{number}/{kind}{i}": value for i, value in enumerate(values)}
        self.tensors |= {f"{op}/{number}/y": y, f"{op}/{number}/v": v}


def gradients(target, x):
    """Zeros for what does not reach the target. Added to zeros, as a zero of PyTorch may have no memory."""
    if not target.requires_grad:
        return [torch.zeros_like(value) for value in x]
    found = torch.autograd.grad(target, x, create_graph=True, allow_unused=True)
    return [torch.zeros_like(value) + (0 if gradient is None else gradient) for gradient, value in zip(found, x)]


def text(value):
    """As weft writes attributes. A list is a shape, a tuple is a list of axes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value if value in DTYPES else f'"{value}"'
    return str(value) if not isinstance(value, tuple) else "(" + ", ".join(map(str, value)) + ")"


def all_cases():
    cases = Cases()
    add = cases.add
    for op in ("Add", "Subtract", "Multiply", "Minimum", "Maximum"):
        add(op, [(5, 7), (5, 7)])
    add("Divide", [(5, 7), (5, 7)], (-3, 3), (0.5, 3))
    for op in ("Negate", "Abs", "Square", "Exp", "Expm1", "Sigmoid", "Tanh", "Erf", "Relu", "Gelu"):
        add(op, [(5, 7)])
    add("Exp", [(40,)], (-300, 300))
    add("Sigmoid", [(40,)], (-30, 30))
    add("Tanh", [(40,)], (-15, 15))
    for op in ("Sqrt", "Log"):
        add(op, [(5, 7)], (0.1, 5))
    add("Log", [(40,)], (1e-6, 1e6))
    add("Log1p", [(5, 7)], (-0.9, 5))
    add("Softplus", [(5, 7)], (-19, 19))
    add("SigmoidCrossEntropy", [(5, 7), (5, 7)], (-5, 5), (0, 1))
    for slope in (0.01, 0.2):
        add("LeakyRelu", [(5, 7)], slope=slope)
    for alpha in (1.0, 0.3):
        add("Elu", [(5, 7)], alpha=alpha)
    for relation in RELATIONS:
        add("Compare", [(5, 7), (5, 7)], relation=relation)
    add("Select", [(5, 7), (5, 7), (5, 7)], (0.5, 1), (-3, 3))
    add("Select", [(5, 7), (5, 7), (5, 7)], (0, 0), (-3, 3))
    add("Cast", [(5, 7)], dtype="f64")
    add("Cast", [(5, 7)], dtype="f32")
    for op in ("ReduceSum", "ReduceMax"):
        add(op, [(37, 5)], axis=0, count=1)
        add(op, [(5, 37)], axis=1, count=1)
        add(op, [(2, 3, 4, 5)], axis=1, count=2)
        add(op, [(3, 4, 5)], axis=0, count=3)
    add("ReduceMax", [(4, 9)], (1, 1), axis=1, count=1)  # ties share
    add("BroadcastTo", [()], shape=[3, 5])
    add("BroadcastTo", [(3, 1)], shape=[3, 5])
    add("BroadcastTo", [(1, 4, 1)], shape=[2, 3, 4, 5])
    add("Reshape", [(2, 3, 5)], shape=[6, 5])
    add("Transpose", [(3, 5)], permutation=(1, 0))
    add("Transpose", [(2, 3, 4)], permutation=(2, 0, 1))
    add("Slice", [(7, 3)], axis=0, begin=2, end=5)
    add("Slice", [(2, 9, 3)], axis=1, begin=0, end=4)
    add("Concatenate", [(2, 3), (1, 3), (4, 3)], axis=0)
    add("Concatenate", [(2, 3), (2, 1), (2, 2)], axis=1)
    for left in (False, True):
        for right in (False, True):
            add("MatMul", [(33, 9)[::-1 if left else 1], (9, 35)[::-1 if right else 1]], transpose_left=left, transpose_right=right)
    add("StopGradient", [(3, 5)])
    add("Clamp", [(5, 7)], low=-1.5, high=1.5)
    add("ReduceMean", [(3, 4, 5)], axes=(0, 2))
    add("LogSoftmax", [(5, 7)])
    return cases


if __name__ == "__main__":
    made = all_cases()
    golden_file.main(os.path.join(HERE, "golden.safetensors"), lambda: made.tensors, made.metadata)
