"""Every exported graph passes ONNX's own checker, shape inference included, and layers are what readers know them as.
Argument: weft_export_cases."""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import onnx

# How often each operator stands in a decoder of two hidden layers.
DECODERS = {
    "decoder batch 1": {"Gemm": 3, "BatchNormalization": 2, "Relu": 2, "Sigmoid": 1},
    "decoder batch 1 folded": {"Gemm": 3, "Relu": 2, "Sigmoid": 1},
}


def complaints(case, model):
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # pylint: disable=broad-except
        yield f"the checker says: {error}"
    names = [value.name for value in model.graph.input]
    expected = [value["name"] for value in case["inputs"]]
    if names != expected:
        yield f"got inputs {names}, expected {expected}"
    if case["name"] in DECODERS:
        yield from decoder_complaints(model, DECODERS[case["name"]])


def decoder_complaints(model, expected):
    operators = collections.Counter(node.op_type for node in model.graph.node)
    if operators != expected:
        yield f"got operators {operators}, expected {expected}"
    shape = model.graph.input[0].type.tensor_type.shape
    if [dim.dim_param or dim.dim_value for dim in shape.dim] != ["N", 2]:
        yield f"got input shape {shape}, expected [N, 2]"
    scopes = {node.name: node.doc_string for node in model.graph.node}
    if scopes.get("Decoder/Logits") != "Decoder":
        yield f"got scopes {scopes}, expected Decoder/Logits in Decoder"
    if "Decoder/Logits/W" not in [tensor.name for tensor in model.graph.initializer]:
        yield "expected the variable Decoder/Logits/W among the initializers"
    if (model.producer_name, model.ir_version, model.opset_import[0].version) != ("weft", 7, 13):
        yield "expected a model of weft, IR version 7, opset 13"


def main() -> int:
    failures = []
    with tempfile.TemporaryDirectory(prefix="weft-onnx-") as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        cases = json.loads((pathlib.Path(folder) / "cases.json").read_text())
        for case in cases:
            model = onnx.load(pathlib.Path(folder) / (case["file"] + ".onnx"))
            failures += [f'{case["name"]}: {text}' for text in complaints(case, model)]
    if not DECODERS.keys() <= {case["name"] for case in cases}:
        failures.append("expected the decoders among the graphs")
    print(f"{len(cases)} graphs")
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
