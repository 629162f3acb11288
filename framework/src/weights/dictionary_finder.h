// Where the weights are in what torch.save was given: a checkpoint has them under one of many
// keys, beside much else.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "weights/pickle.h"

namespace kindred::weights {

/// The dictionary of tensors in what was saved.
class DictionaryFinder {
 public:
  /// Throws DataError when there is none, or several of which none is meant.
  /// @param key where to look; "": anywhere
  DictionaryFinder(const Pickle& pickle, const std::string& key, const std::filesystem::path& file);

  /// The members of TorchFile of the same names (torch_file.h), `path` being its `dictionary`.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool has_key() const { return has_key_; }
  [[nodiscard]] const std::string& choice() const { return choice_; }
  [[nodiscard]] const std::vector<std::string>& beside() const { return beside_; }
  [[nodiscard]] const std::vector<std::string>& unknown() const { return unknown_; }

  /// In the order of the file. Of a name that comes twice the last counts, as in Python.
  [[nodiscard]] std::vector<std::pair<std::string, const PickledTensor*>> tensors() const;

 private:
  struct Place {
    const PickledDictionary* dictionary;
    std::string path;                                                     ///< keys, with dots between them
    std::vector<std::pair<const PickledDictionary*, std::string>> way{};  ///< what each was a key of
  };

  [[noreturn]] void fail(const std::string& what) const { throw DataError(file_, what); }
  /// Counts what is looked at, of which a file may have much. A few hundred bytes can make dictionaries hold
  /// each other in more ways than anyone can follow.
  /// @param path keys that lead there, of which a copy was made
  void look_through(const PickledDictionary& dictionary, const std::string& path);
  /// A text that a file has once can be the name of many tensors.
  void require_short(std::size_t bytes) const;
  /// Adds the tensors of a TorchScript module and of those in it, each by its dotted name.
  void flatten(const PickledDictionary& attributes, const std::string& prefix, int depth);
  /// Of a file of self-distillation the teacher, whose weights are used, when it also has a student.
  [[nodiscard]] std::optional<Place> teacher_of(const std::vector<Place>& places);
  void refuse_module(const PickleNode& root) const;
  [[nodiscard]] std::optional<Place> find(const Place& place, int depth);
  /// All dictionaries with more than stray tensors, outside of each other.
  [[nodiscard]] std::vector<Place> all_in(const Place& place, int depth);
  /// What a dictionary holds under a key.
  [[nodiscard]] static Place below(const Place& place, std::string_view key, const PickledDictionary* inner);
  /// Keys may hold dots themselves.
  [[nodiscard]] static std::optional<Place> at_key(const Place& place, const std::string& key);
  /// What stands beside the tensors: among them, and beside each key that leads to them.
  void describe(const Place& found);
  void describe_unknown(const PickledDictionary& dictionary, const std::string& prefix);

  const std::filesystem::path& file_;
  const PickledDictionary* found_ = nullptr;
  std::string path_;
  bool has_key_ = true;
  std::string choice_;
  std::size_t looks_ = 0;
  std::size_t most_looks_;
  std::deque<PickleNode> names_;  ///< of flat_
  PickledDictionary flat_;        ///< the tensors of a TorchScript program
  std::vector<std::string> beside_;
  std::vector<std::string> unknown_;
};

}  // namespace kindred::weights
