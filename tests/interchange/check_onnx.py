"""Every exported graph passes ONNX's own checker, shape inference included. Argument: weft_export_cases."""

import json
import pathlib
import subprocess
import sys
import tempfile

import onnx


def main() -> int:
    failures = []
    with tempfile.TemporaryDirectory(prefix="weft-onnx-") as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        cases = json.loads((pathlib.Path(folder) / "cases.json").read_text())
        for case in cases:
            model = onnx.load(pathlib.Path(folder) / (case["file"] + ".onnx"))
            try:
                onnx.checker.check_model(model, full_check=True)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(f'{case["name"]}: {error}')
            names = [value.name for value in model.graph.input]
            expected = [value["name"] for value in case["inputs"]]
            if names != expected:
                failures.append(f'{case["name"]}: got inputs {names}, expected {expected}')
    print(f"{len(cases)} graphs")
    print("\n".join(failures))
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
