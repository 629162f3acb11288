// Whether this machine computes as it should, and how fast.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "progress/progress.h"
#include "recipe/settings.h"

namespace kindred::command {

/// A row of the table.
struct Check {
  enum class Result {
    ok,
    failed,
    told,     ///< a fact or a speed, which nothing is expected of
    left_out  ///< the machine cannot do it, or there was no time
  };
  std::string name;      ///< "network resnet + bnneck"
  std::string figure;    ///< what was found
  std::string expected;  ///< the limit; "" for facts
  Result result = Result::told;
  std::string note;  ///< why it failed or was left out; "": nothing to say
};

struct NamedRecipe {
  std::string name;
  std::string text;  ///< TOML
};

/// What the networks and searches are that are tried: recipes, whose data are never looked at.
struct CheckupRecipes {
  std::string small_training;         ///< learns images of 64 x 32 pixels by heart within 50 steps
  std::vector<NamedRecipe> networks;  ///< whose speed is measured, with their augmentations
  std::string search;                 ///< whose speed is measured: post-processors
};

struct CheckupOptions {
  recipe::MachineSettings machine;
  bool quick = false;  ///< speeds are measured for a moment, the slowest ones not at all
};

struct Checkup {
  std::string device;  ///< "cpu: AMD EPYC ..."
  bool quick = false;
  double seconds = 0;
  std::vector<Check> checks;

  [[nodiscard]] bool passed() const;
};

/// Compares on the machine's device, with what the plain way on the CPU gives: each loaded backbone and head,
/// forward and backward; the search for neighbors, each post-processor that makes distances, each labeler and
/// the evaluation; a training that was stopped and continued, with one that was not. Trains a small network
/// in each precision. Measures the speed of networks and of a search. Whatever a check throws is its failure.
/// Images and descriptors are random; nothing is read or written but one file in the system's folder for
/// temporary files.
///
/// The plain way, on the CPU: networks in contiguous memory instead of channels last, searches with one
/// thread.
/// Sets threads and arithmetic of the process, and LibTorch's seed. Throws Error for a device that is not
/// there.
[[nodiscard]] Checkup check_up(const CheckupRecipes& recipes, const CheckupOptions& options,
                               const Catalog& catalog, progress::ProgressSink& progress);

/// One table, ending in '\n', then the notes of what failed.
[[nodiscard]] std::string checkup_text(const Checkup& checkup);
/// Everything in it as a JSON object.
[[nodiscard]] std::string checkup_json(const Checkup& checkup);

}  // namespace kindred::command
