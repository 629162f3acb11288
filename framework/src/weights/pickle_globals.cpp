#include "weights/pickle_globals.h"

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

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
constexpr std::array<KnownGlobal, 38> known_globals{{
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
    {"torch.cuda", "BFloat16Storage", Kind::storage_type, torch::kBFloat16},
    {"torch.cuda", "LongStorage", Kind::storage_type, torch::kInt64},
    {"torch.cuda", "IntStorage", Kind::storage_type, torch::kInt32},
    {"torch.cuda", "ShortStorage", Kind::storage_type, torch::kInt16},
    {"torch.cuda", "CharStorage", Kind::storage_type, torch::kInt8},
    {"torch.cuda", "ByteStorage", Kind::storage_type, torch::kUInt8},
    {"torch.cuda", "BoolStorage", Kind::storage_type, torch::kBool},
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

/// Of tensors that are not read; their sizes say where others begin.
constexpr std::array<KnownGlobal, 8> unsupported_storages{{
    {"torch", "ComplexFloatStorage", Kind::storage_type, torch::kComplexFloat},
    {"torch", "ComplexDoubleStorage", Kind::storage_type, torch::kComplexDouble},
    {"torch", "QInt8Storage", Kind::storage_type, torch::kQInt8},
    {"torch", "QUInt8Storage", Kind::storage_type, torch::kQUInt8},
    {"torch", "QInt32Storage", Kind::storage_type, torch::kQInt32},
    {"torch", "QUInt4x2Storage", Kind::storage_type, torch::kQUInt4x2},
    {"torch", "UntypedStorage", Kind::storage_type, torch::kUInt8},
    {"torch.storage", "UntypedStorage", Kind::storage_type, torch::kUInt8},
}};

constexpr std::size_t longest_name = 200;

}  // namespace

PickledGlobal pickled_global(const std::string& module, const std::string& name) {
  const auto is_meant = [&](const KnownGlobal& global) {
    return global.module == module && global.name == name;
  };
  if (const auto* known = std::find_if(known_globals.begin(), known_globals.end(), is_meant);
      known != known_globals.end()) {
    return {known->kind, known->type};
  }
  if (module == "__torch__" || module.starts_with("__torch__.")) return {Kind::script_class, torch::kFloat32};
  auto full = (module + "." + name).substr(0, longest_name);
  if (const auto* known = std::find_if(unsupported_storages.begin(), unsupported_storages.end(), is_meant);
      known != unsupported_storages.end()) {
    return {known->kind, known->type, std::move(full)};
  }
  return {Kind::unknown, torch::kFloat32, std::move(full)};
}

}  // namespace kindred::weights
