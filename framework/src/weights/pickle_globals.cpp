#include "weights/pickle_globals.h"

#include <torch/types.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "kindred/core/error.h"
#include "text/printable.h"

namespace kindred::weights {
namespace {

using Kind = PickledGlobal::Kind;

struct KnownGlobal {
  std::string_view module;
  std::string_view name;
  Kind kind;
  torch::ScalarType type = torch::kFloat32;
};

/// Those that are dropped stand beside the weights in checkpoints: counters of schedules, scores as NumPy's
/// scalars.
constexpr std::array<KnownGlobal, 32> known_globals{{
    {"collections", "OrderedDict", Kind::ordered_dictionary},
    {"torch._utils", "_rebuild_tensor_v2", Kind::tensor_v2},
    {"torch._utils", "_rebuild_tensor", Kind::tensor},
    {"torch._utils", "_rebuild_parameter", Kind::parameter},
    {"torch._utils", "_rebuild_parameter_with_state", Kind::parameter},
    {"torch._tensor", "_rebuild_from_type_v2", Kind::tensor_of_type},
    {"torch", "Size", Kind::size},
    {"torch", "DoubleStorage", Kind::storage_type, torch::kFloat64},
    {"torch", "FloatStorage", Kind::storage_type, torch::kFloat32},
    {"torch", "HalfStorage", Kind::storage_type, torch::kFloat16},
    {"torch", "BFloat16Storage", Kind::storage_type, torch::kBFloat16},
    {"torch", "LongStorage", Kind::storage_type, torch::kInt64},
    {"torch", "IntStorage", Kind::storage_type, torch::kInt32},
    {"torch", "ShortStorage", Kind::storage_type, torch::kInt16},
    {"torch", "CharStorage", Kind::storage_type, torch::kInt8},
    {"torch", "ByteStorage", Kind::storage_type, torch::kUInt8},
    {"torch", "BoolStorage", Kind::storage_type, torch::kBool},
    {"torch.cuda", "DoubleStorage", Kind::storage_type, torch::kFloat64},
    {"torch.cuda", "FloatStorage", Kind::storage_type, torch::kFloat32},
    {"torch.cuda", "HalfStorage", Kind::storage_type, torch::kFloat16},
    {"torch.cuda", "LongStorage", Kind::storage_type, torch::kInt64},
    {"torch", "device", Kind::dropped},
    {"collections", "Counter", Kind::dropped},
    {"collections", "defaultdict", Kind::dropped},
    {"builtins", "set", Kind::dropped},
    {"__builtin__", "set", Kind::dropped},
    {"builtins", "dict", Kind::dropped},
    {"__builtin__", "dict", Kind::dropped},
    {"numpy", "dtype", Kind::dropped},
    {"numpy.core.multiarray", "scalar", Kind::dropped},
    {"numpy._core.multiarray", "scalar", Kind::dropped},
    {"_codecs", "encode", Kind::dropped},
}};

constexpr std::size_t longest_name = 200;

}  // namespace

PickledGlobal pickled_global(const std::string& module, const std::string& name,
                             const std::filesystem::path& file) {
  for (const auto& global : known_globals) {
    if (global.module == module && global.name == name) return {global.kind, global.type};
  }
  if (module == "__torch__" || module.starts_with("__torch__.")) return {Kind::script_class, torch::kFloat32};
  const auto full = (module + "." + name).substr(0, longest_name);
  const bool of_torch = module == "torch" || module.starts_with("torch.");
  if (of_torch && name.ends_with("Storage")) {
    throw DataError(file, "contains tensors of the unsupported type '" + text::printable(full) + "'");
  }
  return {Kind::unknown, torch::kFloat32, full};
}

}  // namespace kindred::weights
