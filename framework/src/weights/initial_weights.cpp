#include "weights/initial_weights.h"

#include <filesystem>
#include <map>
#include <optional>

#include "file/sha256.h"
#include "kindred/core/error.h"
#include "kindred/role/backbone.h"
#include "model/model_file.h"
#include "weights/weights_file.h"

namespace kindred::weights {
namespace {

namespace fs = std::filesystem;

/// A file that cannot be read is an error of the recipe, said before anything else is done.
void add_hash(const std::optional<std::string>& file, std::optional<std::string>& hash,
              const SourceLocation& place, const std::string& key) {
  if (!file || hash) return;
  try {
    hash = file::sha256_of_file(*file);
  } catch (const DataError& error) {
    throw RecipeError(place, key + ": " + error.what());
  }
}

void check_hash(const fs::path& file, const std::optional<std::string>& expected) {
  if (!expected) return;
  const auto actual = file::sha256_of_file(file);
  if (actual == *expected) return;
  throw DataError(file, "is not the file of the recipe: its SHA-256 is " + actual +
                            ", but the recipe expects " + *expected);
}

/// "weights.pth (layout: torchvision): 267 of 320 tensors matched, ..."
std::string note_of(const std::string& what, const WeightsFile& file, const MatchReport& report) {
  constexpr std::size_t most = 10;
  std::string text =
      what + " from " + file.file.string() + " (layout: " + report.layout + "): " + report.counts_text();
  std::size_t shown = 0;
  for (const auto& row : report.rows) {
    if (row.state != TensorState::allowed && row.state != TensorState::unused) continue;
    if (++shown > most) break;
    text += "\n  " + std::string(row.state == TensorState::allowed ? "left unchanged: " : "unused: ") +
            row.name + (row.detail.empty() ? "" : " (" + row.detail + ")");
  }
  if (shown > most) text += "\n  ...";
  if (!report.note.empty()) text += "\n  note: " + report.note;
  return text;
}

void load(const fs::path& path, const std::optional<std::string>& hash,
          const std::vector<WeightsLayout>& known, torch::nn::Module& module, const std::string& prefix,
          const std::vector<std::string>& allow_missing, const std::string& what,
          std::vector<std::string>& notes) {
  check_hash(path, hash);
  const auto file = read_weights_file(path);
  const auto weights = translate(file, known);
  const auto report = match_weights(weights, module, prefix, allow_missing);
  if (!report.complete()) {
    throw DataError(
        path,
        "its tensors (layout: " + report.layout + ") do not match the " +
            (prefix.empty() ? "network" : "backbone") + ":" + trouble_text(report) +
            (report.lacks_the_head_alone() ? "\nit contains only a backbone: use [backbone] weights" : "") +
            "\n`kindred weights inspect " + path.string() + "` lists its tensors");
  }
  copy_weights(weights, module, prefix);
  notes.push_back(note_of(what, file, report));
}

}  // namespace

recipe::Plan with_hashes_of_weights(recipe::Plan plan) {
  add_hash(plan.backbone_start.weights, plan.backbone_start.weights_sha256, plan.backbone.location,
           "[backbone] weights");
  add_hash(plan.weights.file, plan.weights.sha256, plan.weights_location, "[weights] file");
  return plan;
}

std::shared_ptr<model::Model> build_initial_model(const recipe::Plan& plan, std::int64_t identities,
                                                  std::vector<std::string>& notes) {
  auto model = model::build_model(plan, identities, [&](Backbone& backbone) {
    const auto& start = plan.backbone_start;
    if (!start.weights) return;
    const auto whole = backbone.trunk(backbone.blocks().back());
    load(*start.weights, start.weights_sha256, known_layouts(plan), *whole, backbone_prefix, {},
         "weights of the backbone", notes);
  });
  if (plan.weights.file) {
    if (const auto wrong = useless_pattern(plan.weights.allow_missing, *model); !wrong.empty()) {
      throw RecipeError(plan.weights_location, "[weights]: allow_missing: " + wrong);
    }
    load(*plan.weights.file, plan.weights.sha256, known_layouts(plan), *model, "", plan.weights.allow_missing,
         "weights of the network", notes);
  }
  return model;
}

std::optional<std::int64_t> identities_of(const recipe::Plan& plan, const TranslatedWeights& weights,
                                          const fs::path& file) {
  const auto one = model::module_tensors(*model::build_model(plan, 2));
  const auto other = model::module_tensors(*model::build_model(plan, 3));
  std::map<std::string, torch::Tensor> sources;
  for (const auto& entry : weights.tensors) sources.emplace(entry.name, entry.tensor);
  std::optional<std::int64_t> found;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const auto& [name, tensor] = one[i];
    const auto source = sources.find(name);
    if (source == sources.end() || source->second.dim() != tensor.dim()) continue;
    for (std::int64_t d = 0; d < tensor.dim(); ++d) {
      if (tensor.size(d) == other[i].second.size(d)) continue;
      const auto size = source->second.size(d);
      if (found && *found != size) {
        throw DataError(file, "its classifiers have different numbers of identities: " +
                                  std::to_string(*found) + " and " + std::to_string(size));
      }
      found = size;
    }
  }
  return found;
}

}  // namespace kindred::weights
