// Reads Python's pickles (protocols 2 to 5) as data. A pickle is a program for a small stack machine that may
// call any function of Python; here nothing is ever called. What PyTorch writes to describe tensors is known
// and becomes a description; of everything else only the name is kept.
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
  std::string unsupported{};  ///< the type's name in Python where tensors of it are not read
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

/// A module of a TorchScript program: its tensors, its modules and what else it holds, by name.
struct PickledModule {
  PickledDictionary attributes;
};

/// A name of Python's, inert.
struct PickledGlobal {
  enum class Kind {
    ordered_dictionary,
    tensor,
    tensor_v2,
    tensor_of_type,  ///< a tensor with attributes or of a derived class: how it is made, and of what
    parameter,
    size,
    storage_type,
    script_class,  ///< of a TorchScript program: its objects are PickledModules
    dropped,       ///< known, and of no use
    unknown,
  };
  Kind kind;
  torch::ScalarType type;  ///< of a storage
  std::string name{};      ///< "module.name", of an unknown one or a type of storage that is not supported
};

/// A value that is read past: numbers of more than 64 bits, sets, NumPy's scalars; with the name of what it
/// is made of where that is not known.
struct PickledOther {
  std::string name{};  ///< "argparse.Namespace", or "" for what is known
};

struct PickleNode {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, PickledSequence, PickledDictionary,
               PickledModule, PickledGlobal, PickledStorage, PickledTensor, PickledOther>
      value;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
};

/// The name of an object of Python's that is not known or, as types of tensors, not supported, or of what it
/// is made of; "" for what is.
[[nodiscard]] std::string unknown_name(const PickleNode& node);

/// What one pickle holds. Nodes may stand in several places, in themselves too.
struct Pickle {
  std::deque<PickleNode> nodes;
  const PickleNode* root = nullptr;
};

/// Reads one pickle; the cursor then stands after it. Objects of Python's that are not known, and tensors of
/// types that are not supported, become PickledOther, and what is put into them is read past. Throws
/// DataError for what is damaged.
[[nodiscard]] Pickle read_pickle(file::BinaryCursor& cursor, const std::filesystem::path& file);

}  // namespace kindred::weights
