"""Reads the arrays that weft wrote into a directory, and writes some for weft to read: numpy_arrays.py DIRECTORY"""
import json
import pathlib
import sys

import numpy as np

SHAPES = [(), (0,), (3,), (2, 3), (4, 1, 2), (2, 1, 3, 2), (1, 2, 1, 2, 2), (2, 1, 2, 1, 1, 3)]


def values(dtype, shape):
    """What both sides expect: a function of the place in row-major order."""
    i = np.arange(int(np.prod(shape)))
    if dtype == "bool":
        array = i % 3 == 0
    elif dtype in ("float32", "float64"):
        array = (i * 0.5 - 3).astype(dtype)
    elif dtype == "uint8":
        array = (i * 37 % 256).astype(dtype)
    elif dtype == "int32":
        array = (i * 1000003 - 2000000000).astype(dtype)
    else:
        array = i.astype(np.int64) * 2**33 - 7
    return array.reshape(shape)


def name(dtype, shape):
    return f"{dtype}{list(shape)}"


def check(got, dtype, shape):
    expected = values(dtype, shape)
    assert got.dtype == expected.dtype, (got.dtype, expected.dtype)
    assert got.shape == shape and got.tobytes() == expected.tobytes(), (dtype, shape)


def read(directory):
    count = 0
    archive = np.load(directory / "ours.npz", allow_pickle=False)
    for dtype in ("float32", "float64", "int64", "bool"):
        for shape in SHAPES:
            check(np.load(directory / f"ours-{name(dtype, shape)}.npy", allow_pickle=False), dtype, shape)
            check(archive[f"Scope/{name(dtype, shape)}"], dtype, shape)
            count += 1
    assert len(archive.files) == count, archive.files
    store = np.load(directory / "store.npz", allow_pickle=False)
    assert sorted(store.files) == ["Ä/W", "Ä/b"] and store["Ä/W"].tolist() == [[1, 2], [3, 4]]
    return count


def write(directory):
    arrays = {}
    for dtype in ("float32", "float64", "int64", "int32", "uint8", "bool"):
        for shape in SHAPES:
            arrays[f"C/{name(dtype, shape)}"] = values(dtype, shape)
            arrays[f"F/{name(dtype, shape)}"] = np.array(values(dtype, shape), order="F")
    np.savez(directory / "theirs.npz", **arrays)
    np.savez_compressed(directory / "packed.npz", **arrays)
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(directory / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, values("float32", (2, 3)), version=version)
    np.save(directory / "big_endian.npy", np.arange(3, dtype=">f4"))
    np.save(directory / "half.npy", np.arange(3, dtype="f2"))
    np.save(directory / "complex.npy", np.arange(3, dtype="c8"))
    np.save(directory / "text.npy", np.array(["a", "b"]))
    np.save(directory / "fields.npy", np.zeros(2, dtype=[("x", "f4"), ("y", "f4")]))
    np.save(directory / "objects.npy", np.array([{}, []], dtype=object), allow_pickle=True)


def main():
    directory = pathlib.Path(sys.argv[1])
    count = read(directory)
    write(directory)
    print(json.dumps({"read": count}))


if __name__ == "__main__":
    main()
