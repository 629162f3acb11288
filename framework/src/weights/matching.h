// Puts the tensors of a file into a network, and says of each what became of it. Nothing is passed over in
// silence.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <vector>

#include "weights/layouts.h"
#include "weights/translation.h"
#include "weights/weights_file.h"

namespace kindred::weights {

/// As translate(), by what fits a network, or a part of it: of all layouts that the file may have, wrappers,
/// and prefixes that most of its names share, those by which most tensors of the network are found, and of
/// those that name most of the file.
/// @param prefix of the part, as for match_weights()
[[nodiscard]] TranslatedWeights translate_for(const WeightsFile& file, const std::vector<FileLayout>& known,
                                              const torch::nn::Module& module, const std::string& prefix);

enum class TensorState {
  matched,
  adapted,      ///< made of the file's tensor of another shape by the module that it is for
  counter,      ///< "num_batches_tracked", not in the file (PyTorch before 1.0 had none): 0
  allowed,      ///< missing or of another shape, and that was allowed: left as it was
  missing,      ///< not in the file
  wrong_shape,  ///< of another shape in the file
  wrong_type,   ///< whole numbers instead of floating-point ones, or the other way round
  dropped,      ///< in the file and of no use here, or allowed to be unused
  unused,       ///< in the file, with no place in the network, which so computes something else
};

struct TensorRow {
  TensorState state;
  std::string name;    ///< the network's; of an unused or a dropped one the file's
  std::string source;  ///< the file's, or ""
  std::string detail;  ///< "[751, 256] instead of [702, 256]", or ""
};

struct MatchReport {
  std::string layout;                      ///< its name, or "not recognized"
  std::string prefix;                      ///< TranslatedWeights::prefix
  std::vector<std::string> recognized_by;  ///< TranslatedWeights::recognized_by
  std::string note;                        ///< WeightsLayout::note
  std::vector<TensorRow> rows;

  [[nodiscard]] std::int64_t count(TensorState state) const;
  /// Nothing is missing, of another shape, of another type or without a place, but for what was allowed.
  [[nodiscard]] bool complete() const;
  /// The file fits the whole backbone and nothing of the head: it is a backbone's.
  [[nodiscard]] bool lacks_the_head_alone() const;
  /// "torchvision, without the prefix 'module.': 'conv1.weight' and 'layer1.0.conv1.weight' are there"
  [[nodiscard]] std::string layout_text() const;
  /// "267 of 320 tensors matched, 53 not in the file and set to 0 (counters of batch norms), 2 of
  /// the file unused"
  [[nodiscard]] std::string counts_text() const;
};

/// What need not match. In names, '*' stands for any characters.
struct Allowed {
  std::vector<std::string> missing{};  ///< the network's tensors that may be missing or of another shape
  std::vector<std::string> unused{};   ///< the file's that need no place
};

/// Compares the file with a network, or with a part of it, and changes nothing.
/// @param prefix of the part: only names that begin with it are the part's, the others are dropped
[[nodiscard]] MatchReport match_weights(const TranslatedWeights& weights, const torch::nn::Module& module,
                                        const std::string& prefix, const Allowed& allowed);

/// Copies what matches, and what modules adapt; floating-point types are converted into each other. Throws
/// DataError for a tensor that holds NaN or an infinite number.
void copy_weights(const TranslatedWeights& weights, torch::nn::Module& module, const std::string& prefix);

/// What is wrong with a pattern that matches no tensor of the network, or none of the file; "" when all of
/// them match one.
[[nodiscard]] std::string useless_pattern(const Allowed& allowed, const torch::nn::Module& module,
                                          const WeightsFile& file);

/// What keeps a report from being complete, up to ten names a kind, each kind on a line of its own.
[[nodiscard]] std::string trouble_text(const MatchReport& report);

}  // namespace kindred::weights
