// Gives the tensors of another program's file Kindred's names, by the layout that knows them.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "weights/layouts.h"
#include "weights/weights_file.h"

namespace kindred::weights {

/// A tensor of the file under Kindred's name.
struct NamedSource {
  std::string name;    ///< "backbone.conv1.weight"
  std::string source;  ///< as in the file
  torch::Tensor tensor;
};

/// The tensors of a file under Kindred's names.
struct TranslatedWeights {
  std::filesystem::path file;
  /// Absent: not recognized. The names are then Kindred's, or without "backbone." and "head." the backbone's.
  std::optional<FileLayout> layout;
  std::string prefix;  ///< of the names that were translated, taken off before: "module.model.", or ""
  std::vector<std::string> recognized_by;  ///< the file's names by which the layout was found
  std::vector<NamedSource> tensors;
  std::vector<std::string> dropped;  ///< names that are known to be of no use
  std::vector<std::string> twins;    ///< of another network in the file, 'student.' beside 'teacher.'
  std::vector<std::string> outside;  ///< names without the prefix, or without that of all of the backbone's
  std::vector<std::string> unused;   ///< names of which the layout says nothing
};

/// By the layout that knows most tensors of the file, by a name or as of no use, and of several the one that
/// asks for more; another program's names that only begin as Kindred's do are not taken for them. Also by one
/// that the file has behind wrappers of its names, such as 'module.', 'model.', 'teacher.' or 'backbone.',
/// which are then taken off.
/// Throws DataError when two tensors would have the same name, or what a layout makes of a tensor fails.
[[nodiscard]] TranslatedWeights translate(const WeightsFile& file, const std::vector<FileLayout>& known);

/// Whether one of the layouts that the file may have demands something of recipes.
[[nodiscard]] bool may_demand(const WeightsFile& file, const std::vector<FileLayout>& known);

/// One way to read the names of a file.
struct Candidate {
  std::string prefix;
  const FileLayout* layout;  ///< nullptr: names as they are
};

/// Shorter prefixes first, and of each the possible layouts in their order, then the names as they are.
/// @param any take off what most names share, whatever it is
[[nodiscard]] std::vector<Candidate> candidates_of(const WeightsFile& file,
                                                   const std::vector<FileLayout>& known, bool any);

/// Throws DataError when two tensors would have the same name.
/// @param network names of its tensors; empty when it is not known
[[nodiscard]] TranslatedWeights translated_by(const WeightsFile& file, const Candidate& candidate,
                                              const std::set<std::string>& network = {});

/// What the names of a network beside another begin with: "module.student.".
[[nodiscard]] std::string prefix_of_twin(const std::string& name, const std::string& prefix);

}  // namespace kindred::weights
