// The program of run_onnx.py.
#pragma once

namespace kindred::onnx {

extern const char* const run_onnx_program;

}  // namespace kindred::onnx
