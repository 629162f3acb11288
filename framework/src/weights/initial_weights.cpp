#include "weights/initial_weights.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "file/sha256.h"
#include "kindred/core/error.h"
#include "kindred/role/backbone.h"
#include "model/model_file.h"
#include "recipe/wildcard.h"
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

/// "weights.pth (layout: torchvision): 267 of 320 tensors matched, ..."
std::string note_of(const std::string& what, const WeightsFile& file, const MatchReport& report) {
  constexpr std::size_t most = 10;
  std::string text = what + " from " + file.file.string() + " (layout: " + report.layout_text() +
                     "): " + report.counts_text();
  std::size_t shown = 0;
  for (const auto& row : report.rows) {
    if (row.state != TensorState::allowed && row.state != TensorState::unused) continue;
    if (++shown > most) break;
    text += "\n  " + std::string(row.state == TensorState::allowed ? "left unchanged: " : "unused: ") +
            row.name + (row.detail.empty() ? "" : " (" + row.detail + ")");
  }
  if (shown > most) text += "\n  ...";
  for (const auto& object : file.unknown) text += "\n  not read: " + object;
  if (!report.note.empty()) text += "\n  note: " + report.note;
  return text;
}

/// The tensors whose shape depends on the number of identities.
std::set<std::string> tensors_of_identities(const recipe::Plan& plan) {
  const auto one = model::module_tensors(*model::build_model(plan, model::any_population(2)));
  const auto other = model::module_tensors(*model::build_model(plan, model::any_population(3)));
  std::set<std::string> names;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i].second.sizes() != other[i].second.sizes()) names.insert(one[i].first);
  }
  return names;
}

/// What names have in common at their beginning, without their last parts: "head.classifier" of
/// "head.classifier.weight" and "head.classifier.bias".
std::string common_beginning(const std::set<std::string>& names) {
  std::string common = names.begin()->substr(0, names.begin()->rfind('.'));
  for (const auto& name : names) {
    const auto end = std::mismatch(common.begin(), common.end(), name.begin(), name.end()).first;
    common.erase(end, common.end());
  }
  return common;
}

bool is_trouble(const TensorRow& row) {
  return row.state == TensorState::missing || row.state == TensorState::wrong_shape ||
         row.state == TensorState::wrong_type;
}

/// What to do about a file that does not fit, or "".
std::string advice(const recipe::Plan& plan, const MatchReport& report, bool whole) {
  if (report.lacks_the_head_alone()) return "\nit contains only a backbone: use [backbone] weights";
  const auto patterns = whole ? patterns_for_other_identities(plan, report) : std::vector<std::string>();
  if (patterns.empty()) return "";
  std::string list;
  for (const auto& pattern : patterns) list += (list.empty() ? "" : ", ") + Value(pattern).to_toml();
  return "\nthe file is of another number of identities; to start what depends on it from random numbers, "
         "set "
         "in [weights]: allow_missing = [" +
         list + "]";
}

struct Start {
  fs::path file;
  std::optional<std::string> hash;
  std::string key;
  std::string what;  ///< "weights of the backbone"
};

/// @param prefix of the part that the module is; "": it is the whole network
void load(const Start& start, const recipe::Plan& plan, torch::nn::Module& module, const std::string& prefix,
          const std::vector<std::string>& allow_missing, std::vector<std::string>& notes) {
  require_hash(start.file, start.hash);
  const auto file = read_weights_file(start.file, start.key);
  const auto weights = translate_for(file, known_layouts(plan), module, prefix);
  const auto report = match_weights(weights, module, prefix, allow_missing);
  if (!report.complete()) {
    throw DataError(start.file, "its tensors (layout: " + report.layout_text() + ") do not match the " +
                                    (prefix.empty() ? "network" : "backbone") + ":" + trouble_text(report) +
                                    advice(plan, report, prefix.empty()) + "\n`kindred weights inspect " +
                                    start.file.string() + "` lists its tensors");
  }
  copy_weights(weights, module, prefix);
  notes.push_back(note_of(start.what, file, report));
}

}  // namespace

void require_hash(const fs::path& file, const std::optional<std::string>& expected) {
  if (!expected) return;
  const auto actual = file::sha256_of_file(file);
  if (actual == *expected) return;
  throw DataError(file, "is not the file of the recipe: its SHA-256 is " + actual +
                            ", but the recipe expects " + *expected);
}

recipe::Plan with_hashes_of_weights(recipe::Plan plan) {
  add_hash(plan.backbone_start.weights, plan.backbone_start.weights_sha256, plan.backbone.location,
           "[backbone] weights");
  add_hash(plan.weights.file, plan.weights.sha256, plan.weights_location, "[weights] file");
  for (auto& teacher : plan.teachers) {
    add_hash(teacher.weights, teacher.weights_sha256, teacher.location, "teacher '" + teacher.name + "'");
  }
  return plan;
}

std::shared_ptr<model::Model> build_initial_model(const recipe::Plan& plan,
                                                  const model::Population& population,
                                                  std::vector<std::string>& notes) {
  auto model = model::build_model(plan, population, [&](Backbone& backbone) {
    const auto& start = plan.backbone_start;
    if (!start.weights) return;
    const auto whole = backbone.trunk(backbone.blocks().back());
    load({*start.weights, start.weights_sha256, start.weights_key.value_or(""), "weights of the backbone"},
         plan, *whole, backbone_prefix, {}, notes);
  });
  if (plan.weights.file) {
    if (const auto wrong = useless_pattern(plan.weights.allow_missing, *model); !wrong.empty()) {
      throw RecipeError(plan.weights_location, "[weights]: allow_missing: " + wrong);
    }
    load({*plan.weights.file, plan.weights.sha256, plan.weights.key.value_or(""), "weights of the network"},
         plan, *model, "", plan.weights.allow_missing, notes);
  }
  return model;
}

TranslatedWeights translate_for_plan(const WeightsFile& file, const recipe::Plan& plan) {
  return translate_for(file, known_layouts(plan), *model::build_model(plan, model::any_population(2)), "");
}

std::vector<std::string> patterns_for_other_identities(const recipe::Plan& plan, const MatchReport& report) {
  const auto of_identities = tensors_of_identities(plan);
  if (of_identities.empty()) return {};
  std::set<std::string> wrong;
  for (const auto& row : report.rows) {
    if (!is_trouble(row)) continue;
    if (row.state == TensorState::wrong_type || of_identities.count(row.name) == 0) return {};
    wrong.insert(row.name);
  }
  if (wrong.empty()) return {};
  const auto pattern = common_beginning(wrong) + "*";
  const bool too_wide = std::any_of(report.rows.begin(), report.rows.end(), [&](const TensorRow& row) {
    return row.state != TensorState::unused && of_identities.count(row.name) == 0 &&
           recipe::matches_wildcard(pattern, row.name);
  });
  if (!too_wide) return {pattern};
  return {wrong.begin(), wrong.end()};
}

std::optional<std::int64_t> identities_of(const recipe::Plan& plan, const TranslatedWeights& weights,
                                          const fs::path& file) {
  const auto one = model::module_tensors(*model::build_model(plan, model::any_population(2)));
  const auto other = model::module_tensors(*model::build_model(plan, model::any_population(3)));
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
