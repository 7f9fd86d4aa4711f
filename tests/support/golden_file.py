"""Files of what PyTorch computes: written, read, and compared with what it computes now."""
import json
import struct
import sys

import torch


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in sorted(tensors.items()):
        raw = tensor.detach().contiguous().numpy().tobytes()
        dtype = {torch.float32: "F32", torch.float64: "F64"}[tensor.dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    raw = open(path, "rb").read()
    length = struct.unpack("<Q", raw[:8])[0]
    dtypes = {"F32": torch.float32, "F64": torch.float64}
    tensors = {}
    header = json.loads(raw[8:8 + length])
    metadata = header.pop("__metadata__", {})
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(raw[begin:end]), dtype=dtypes[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def main(path, make, metadata=None):
    """Writes the tensors of `make` to `path`, or, with --check, compares them with those that are there. One thread: with
    more, sums have other last places."""
    torch.set_num_threads(1)
    tensors = {name: value.detach() for name, value in make().items()}
    if "--check" not in sys.argv:
        return write_safetensors(path, tensors, metadata)
    known, known_metadata = read_safetensors(path)
    if known.keys() != tensors.keys() or known_metadata != (metadata or {}):
        sys.exit(f"other tensors: {sorted(known.keys() ^ tensors.keys())}")
    # Some gradients are zero but for rounding, which differs from machine to machine: 1e-6 is what others have at least.
    worst = max((float((known[name] - value).abs().max() / max(value.abs().max(), 1e-6)), name) for name, value in tensors.items())
    print("largest relative difference of {} tensors: {:.1e} in {}".format(len(tensors), *worst))
    # Two machines differ by 2e-9 where a hundred steps of Adam have followed a gradient that is rounding alone.
    if worst[0] > 1e-8:
        sys.exit("the file is not what PyTorch computes now")
