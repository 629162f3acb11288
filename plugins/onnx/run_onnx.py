"""Runs an ONNX model by ONNX Runtime on the CPU: `python3 -c THIS MODEL FOLDER`.

FOLDER/request.txt has a line for each tensor, "BATCH NAME TYPE FILE SIZE SIZE ...", whose values are in FOLDER/FILE.
Writes the first output of each batch to FOLDER/BATCH.out, and prints ONNX Runtime's version, then the sizes of each.
Ends with 3 when a package is missing.
"""
import sys

try:
    import numpy
    import onnxruntime
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

model, folder = sys.argv[1:3]
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
batches = {}
with open(f"{folder}/request.txt", encoding="utf-8") as request:
    for line in request:
        batch, name, kind, file, *sizes = line.split()
        values = numpy.fromfile(f"{folder}/{file}", dtype=kind).reshape([int(size) for size in sizes])
        batches.setdefault(int(batch), {})[name] = values
print(onnxruntime.__version__)
for batch in sorted(batches):
    rows = session.run([session.get_outputs()[0].name], batches[batch])[0]
    rows.astype(numpy.float32).tofile(f"{folder}/{batch}.out")
    print(*rows.shape)
