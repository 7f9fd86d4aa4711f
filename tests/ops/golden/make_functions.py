#!/usr/bin/python3
"""Makes inputs.bin and a table FUNCTION.bin an op: its values at f32 numbers, from 50 digits of mpmath (Debian: python3-mpmath).

inputs.bin    the f32 numbers x, the same for all functions; a function without a value at x is taken at |x|
FUNCTION.bin  for each x the nearest f32, then for each x, as a signed byte, what is left of the value in 1/254 of the
              unit in the last place of that f32

    make_functions.py            writes the files beside this one
    make_functions.py --check    recomputes and compares with the files that are there
"""
import math
import os
import random
import struct
import sys

from mpmath import mp, mpf

mp.dps = 50
POINTS = 10240
HERE = os.path.dirname(os.path.abspath(__file__))
LARGEST = 0xFFFFFF << 104  # the largest f32

FUNCTIONS = {
    "Sqrt": mp.sqrt,
    "Exp": mp.exp,
    "Log": mp.log,
    "Expm1": mp.expm1,
    "Log1p": mp.log1p,
    "Sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "Tanh": mp.tanh,
    "Erf": mp.erf,
    "Softplus": lambda x: mp.log1p(mp.exp(x)),
}
HAS_NO_VALUE = {"Sqrt": lambda x: x < 0, "Log": lambda x: x < 0, "Log1p": lambda x: x < -1}


def to_float(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def to_bits(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def inputs():
    """Distinct f32 numbers: where kernels branch, where results leave the range of f32 or reach their limits, around 0 and ±1,
    where networks live, and any bits."""
    draw = random.Random(1)
    points = {}

    def add(x):
        if abs(x) <= LARGEST:
            points[to_bits(x)] = None

    def add_around(x, steps):
        bits = to_bits(x)
        for step in range(-steps, steps + 1):
            if 0 <= (bits & 0x7FFFFFFF) + step < 0x7F800000:
                points[bits + step] = None

    for x in (0.0, 2.0**-149, 2.0**-126, 2.0**-24, 2.0**-25, 2.0**-12, 0.5, 1.0, 2.0, math.log(2) / 2, 4.0, 6.0, 9.010913, 16.6355, 17.32868,
              20.0, 87.33654, 88.37626, 88.72284, 89.0, 103.27893, 103.97208, 104.0, 1e10, 3.4028234e38):
        for sign in (1, -1):
            add_around(sign * x, 3)
    for k in range(-151, 129):
        add_around((k + 0.5) * math.log(2), 1)    # e^x: the power of two changes
        if -126 <= k <= 127:
            add(math.sqrt(0.5) * 2.0**k)          # log x: the exponent changes
    for low, high, count in ((88, 89.2, 400), (-88.5, -87, 400), (-104.2, -103, 400), (-103, -88.5, 200), (8, 10, 200), (-10, -8, 200),
                             (3.3, 4.2, 200), (-4.2, -3.3, 200), (-18, -14, 300), (14, 18, 300), (-1, 1, 1000), (-20, 20, 2000)):
        for _ in range(count):
            add(draw.uniform(low, high))
    for _ in range(500):
        for centre in (0, 1, -1):
            add(centre + draw.choice((-1, 1)) * 2 ** draw.uniform(-24, -1))
    while len(points) < POINTS:
        bits = draw.getrandbits(32)
        if (bits & 0x7F800000) != 0x7F800000:
            points[bits] = None
    return [to_float(bits) for bits in points]


def nearest_and_rest(value):
    if value == 0 or mp.isinf(value):
        return float(value), 0
    _, exponent = mp.frexp(value)  # |value| in [2^(exponent-1), 2^exponent)
    unit = mpf(2) ** (max(exponent - 1, -126) - 23)
    nearest = mp.nint(value / unit) * unit
    if abs(nearest) > LARGEST:
        return math.copysign(math.inf, nearest), 0
    if nearest != 0:
        unit = mpf(2) ** (max(mp.frexp(nearest)[1] - 1, -126) - 23)
    return float(nearest), int(mp.nint(254 * (value - nearest) / unit))


def table(name, xs):
    nearest, rest = [], []
    for x in xs:
        x = abs(x) if HAS_NO_VALUE.get(name, lambda _: False)(x) else x
        if x == 0 and name in ("Sqrt", "Expm1", "Log1p", "Tanh", "Erf"):
            value = (x, 0)  # the sign of zero, which mpmath does not know
        else:
            value = nearest_and_rest(FUNCTIONS[name](mpf(x)))
        nearest.append(value[0])
        rest.append(value[1])
    return struct.pack(f"<{len(xs)}f{len(xs)}b", *nearest, *rest)


def main():
    xs = inputs()
    files = {"inputs": struct.pack(f"<{len(xs)}f", *xs)}
    files.update((name, table(name, xs)) for name in FUNCTIONS)
    for name, content in files.items():
        path = os.path.join(HERE, name + ".bin")
        if "--check" not in sys.argv:
            with open(path, "wb") as file:
                file.write(content)
        elif open(path, "rb").read() != content:
            sys.exit(f"{path} is not what this script makes")


main()
