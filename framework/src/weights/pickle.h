// Reads Python's pickles (protocols 2 to 5) as data. A pickle is a program for a small stack machine that may
// call any function of Python; here nothing is ever called. What PyTorch writes to describe tensors is known
// and becomes a description, and everything else is refused by name.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "file/binary_file.h"

namespace kindred::weights {

struct PickleNode;

/// The memory that tensors are views of: where its data lies is the file format's matter.
struct PickledStorage {
  std::string key;
  torch::ScalarType type = torch::kFloat32;
  std::int64_t elements = 0;
};

/// A view of a storage, unchecked.
struct PickledTensor {
  const PickledStorage* storage = nullptr;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

struct PickledSequence {
  std::vector<const PickleNode*> items;  ///< of a list or a tuple
};

struct PickledDictionary {
  std::vector<std::pair<const PickleNode*, const PickleNode*>>
      items;  ///< a key may come twice: the last counts

  /// The value of a text as key, or nullptr.
  [[nodiscard]] const PickleNode* find(std::string_view key) const;
};

/// A name of Python's that is known and inert.
struct PickledGlobal {
  enum class Kind { ordered_dictionary, tensor, tensor_v2, parameter, size, storage_type, dropped };
  Kind kind;
  torch::ScalarType type;  ///< of a storage
};

/// A value that is read past: numbers of more than 64 bits, sets, NumPy's scalars.
struct PickledOther {};

struct PickleNode {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, PickledSequence, PickledDictionary,
               PickledGlobal, PickledStorage, PickledTensor, PickledOther>
      value;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
};

/// What one pickle holds. Nodes may stand in several places, in themselves too.
struct Pickle {
  std::deque<PickleNode> nodes;
  const PickleNode* root = nullptr;
};

/// Reads one pickle; the cursor then stands behind it. Throws DataError for what is damaged, and for a name
/// of Python's that is not known, saying what it is and how to save the weights without it.
[[nodiscard]] Pickle read_pickle(file::BinaryCursor& cursor, const std::filesystem::path& file);

}  // namespace kindred::weights
