"""Files of what PyTorch computes: written, read, and compared with what it computes now."""
import json
import struct
import sys

import torch


DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in sorted(tensors.items()):
        raw = tensor.detach().contiguous().numpy().tobytes()
        dtype = {value: key for key, value in DTYPES.items()}[tensor.dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    raw = open(path, "rb").read()
    length = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    header = json.loads(raw[8:8 + length])
    metadata = header.pop("__metadata__", {})
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(raw[begin:end]), dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def main(path, make, metadata=None, is_rounding=lambda name: False):
    """Writes the tensors of `make` to `path`, or, with --check, compares them with those that are there: 1e-9 of the largest
    element. One thread: with more, sums have other last places. What `is_rounding`, and what follows from it, differs
    from machine to machine: it is compared to 1e-8, and zero is what is below 1e-6 of what others have."""
    torch.set_num_threads(1)
    tensors = {name: value.detach() for name, value in make().items()}
    if "--check" not in sys.argv:
        return write_safetensors(path, tensors, metadata)
    known, known_metadata = read_safetensors(path)
    if known.keys() != tensors.keys() or known_metadata != (metadata or {}):
        sys.exit(f"other tensors: {sorted(known.keys() ^ tensors.keys())}")

    def difference(name):
        largest = float(tensors[name].abs().max())
        return float((known[name] - tensors[name]).abs().max()) / max(largest, 1e-6 if is_rounding(name) else 1e-300)

    worst = max(tensors, key=difference)
    print(f"largest relative difference of {len(tensors)} tensors: {difference(worst):.1e} in {worst}")
    if any(difference(name) > (1e-8 if is_rounding(name) else 1e-9) for name in tensors):
        sys.exit("the file is not what PyTorch computes now")
