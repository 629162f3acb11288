#include "command/weights.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "file/sha256.h"
#include "kindred/core/error.h"
#include "model/model.h"
#include "model/model_file.h"
#include "text/printable.h"
#include "text/text_table.h"
#include "weights/initial_weights.h"
#include "weights/recipe_differences.h"

namespace kindred::command {
namespace {

constexpr const char* recipe_key = "kindred.recipe";

std::string type_text(const torch::Tensor& tensor) {
  return torch::toString(tensor.scalar_type());
}

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& item : texts) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::vector<std::string> printable(std::vector<std::string> names) {
  for (auto& name : names) name = text::printable(name);
  return names;
}

std::string layout_text(const weights::TranslatedWeights& weights) {
  if (!weights.layout) return "not recognized: only a network with tensors of these names can use them";
  return weights.layout->name + ": " + joined(printable(weights.recognized_by)) + " in the file";
}

/// Kindred's name by the file's.
std::map<std::string, std::string> names_of(const weights::TranslatedWeights& weights) {
  std::map<std::string, std::string> names;
  for (const auto& entry : weights.tensors) names.emplace(entry.source, entry.name);
  return names;
}

std::int64_t elements_of(const file::TensorFile& content) {
  std::int64_t elements = 0;
  for (const auto& entry : content.tensors) elements += entry.second.numel();
  return elements;
}

std::string where_text(const weights::WeightsFile& file) {
  return file.dictionary.empty() ? "" : " under '" + text::printable(file.dictionary) + "'";
}

/// What becomes of a tensor, as far as its name tells.
std::string use_text(const std::string* name, bool recognized) {
  if (name == nullptr) return "unused";
  return recognized ? text::printable(*name) : "unused, unless it is " + text::printable(*name);
}

const char* state_text(weights::TensorState state) {
  switch (state) {
    case weights::TensorState::matched:
      return "matched";
    case weights::TensorState::adapted:
      return "adapted";
    case weights::TensorState::counter:
      return "set to 0";
    case weights::TensorState::allowed:
      return "left unchanged";
    case weights::TensorState::missing:
      return "missing";
    case weights::TensorState::wrong_shape:
      return "wrong shape";
    case weights::TensorState::wrong_type:
      return "wrong type";
    case weights::TensorState::dropped:
      return "of no use";
    case weights::TensorState::unused:
      return "no place";
  }
  return "";
}

/// Rows of what did not simply match; what keeps the file from being used stands at the end, where it is
/// seen.
std::string rows_text(const weights::MatchReport& report) {
  text::TextTable table;
  table.heads = {"STATE", "TENSOR", "DETAIL"};
  table.widths = {14, 60};
  for (const auto state :
       {weights::TensorState::dropped, weights::TensorState::adapted, weights::TensorState::allowed,
        weights::TensorState::missing, weights::TensorState::wrong_shape, weights::TensorState::wrong_type,
        weights::TensorState::unused}) {
    for (const auto& row : report.rows) {
      if (row.state == state) table.rows.push_back({state_text(state), row.name, row.detail});
    }
  }
  return table.rows.empty() ? "" : table.str() + "\n";
}

/// What to do when nothing was written.
std::string advice(const ImportOptions& options, const weights::MatchReport& report) {
  if (report.lacks_the_head_alone()) {
    return "the file contains only a backbone; to train with it, set in the recipe: [backbone] weights = \"" +
           options.file.string() + "\"\n";
  }
  if (report.count(weights::TensorState::unused) > 0) {
    return "the file has tensors that take part in its network and have no place in that of the recipe, "
           "which would compute something else. Change the components of the recipe or, if they are of no "
           "use: --allow-unused 'PATTERN'\n";
  }
  return "the file does not match the network of the recipe. Change the components of the recipe, or keep "
         "the "
         "initial random numbers of some tensors: --allow-missing 'PATTERN'\n";
}

/// @param of_others patterns of what starts from random numbers, as the file is of other identities
/// @param differences recipe_differences()
std::string outcome_text(const ImportOptions& options, const weights::WeightsFile& file,
                         const ImportOutcome& outcome, const std::vector<std::string>& of_others,
                         const std::string& demands, const std::string& differences) {
  std::string text = options.file.string() + ": " + file.format + where_text(file) +
                     "\nlayout: " + outcome.report.layout_text() +
                     "\nidentities: " + std::to_string(outcome.identities) +
                     (options.identities ? "" : ", as in the file") + "\n";
  if (!file.choice.empty()) text += "chosen: " + file.choice + "\n";
  if (!demands.empty()) text += "needs: " + demands + "\n";
  if (!differences.empty()) text += "the recipe of its training says otherwise: " + differences + "\n";
  if (!file.unknown.empty()) text += "not read: " + joined(file.unknown) + "\n";
  if (!outcome.report.note.empty()) text += "note: " + outcome.report.note + "\n";
  if (!of_others.empty()) {
    text += "the file is not of these identities: " + joined(of_others) +
            (of_others.size() == 1 ? " starts" : " start") + " from random numbers\n";
  }
  text += "\n" + rows_text(outcome.report) + outcome.report.counts_text() + "\n";
  if (!outcome.written) return text + "nothing was written: " + advice(options, outcome.report);
  return text + "written to " + options.out.string() + "; to use it: kindred embed --weights " +
         options.out.string() + " --data DIR\n";
}

/// @param used whether the network uses cameras, or views
void require_numbers(const std::string& word, bool used, const std::vector<std::int64_t>& numbers,
                     const std::filesystem::path& file) {
  const auto option = "--" + word + "s";
  if (used && numbers.empty()) {
    throw Error("error: the recipe's backbone uses the " + word + "s of images, and " + file.string() +
                " does not say which it was trained with; give their numbers in the order in which the "
                "program counted them: " +
                option + " 1,2,3,4,5,6");
  }
  if (!used && !numbers.empty()) {
    throw Error("error: " + option + ": the recipe's backbone does not use the " + word + "s of images");
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] >= 0 && (i == 0 || numbers[i] > numbers[i - 1])) continue;
    throw Error("error: " + option + ": whole numbers from 0 are allowed, each larger than the one before");
  }
}

}  // namespace

WeightsSummary inspect_weights(const std::filesystem::path& file, const std::string& key,
                               const Catalog& catalog) {
  WeightsSummary summary;
  summary.file = weights::read_weights_file(file, key);
  summary.sha256 = file::sha256_of_file(file);
  summary.weights = weights::translate(summary.file, weights::known_layouts(catalog));
  return summary;
}

std::string weights_text(const WeightsSummary& summary) {
  const auto& file = summary.file;
  const auto& content = file.content;
  std::uint64_t bytes = 0;
  for (const auto& entry : content.tensors) bytes += entry.second.nbytes();

  text::TextTable head;
  head.widths = {12};
  head.rows = {{"file", file.file.string()},
               {"format", file.format},
               {"sha256", summary.sha256},
               {"tensors", std::to_string(content.tensors.size()) + where_text(file) + ", " +
                               std::to_string(elements_of(content)) + " elements, " + std::to_string(bytes) +
                               " bytes"},
               {"layout", layout_text(summary.weights)}};
  if (!summary.weights.prefix.empty()) {
    head.rows.push_back({"prefix", text::printable(summary.weights.prefix) + " is taken off the names"});
  }
  if (!file.choice.empty()) head.rows.push_back({"chosen", file.choice});
  if (!file.beside.empty()) head.rows.push_back({"other", joined(file.beside)});
  if (!file.unknown.empty()) {
    head.rows.push_back({"not read", joined(file.unknown) + ": objects of Python; nothing was executed"});
  }
  if (content.metadata.count(recipe_key) > 0) {
    head.rows.push_back({"recipe", "included; this is a model file for `kindred embed --weights`"});
  }
  if (const auto& layout = summary.weights.layout) {
    if (!layout->settings.empty()) head.rows.push_back({"needs", joined(layout->settings)});
    if (!layout->note.empty()) head.rows.push_back({"note", layout->note});
  }

  const auto names = names_of(summary.weights);
  text::TextTable table;
  table.heads = {"TENSOR", "SHAPE", "TYPE", "IN KINDRED"};
  table.widths = {50, 24, 10};
  for (const auto& [name, tensor] : content.tensors) {
    const auto found = names.find(name);
    table.rows.push_back(
        {text::printable(name), model::shape_text(tensor), type_text(tensor),
         use_text(found == names.end() ? nullptr : &found->second, summary.weights.layout.has_value())});
  }
  return head.str() + "\n" + table.str();
}

std::string weights_json(const WeightsSummary& summary) {
  const auto& file = summary.file;
  const auto names = names_of(summary.weights);
  nlohmann::ordered_json json;
  json["file"] = file.file.string();
  json["format"] = file.format;
  json["sha256"] = summary.sha256;
  json["dictionary"] = file.dictionary;
  json["prefix"] = summary.weights.prefix;
  json["beside"] = file.beside;
  json["not_read"] = file.unknown;
  const auto& layout = summary.weights.layout;
  json["layout"] = layout ? nlohmann::ordered_json(layout->name) : nlohmann::ordered_json();
  json["recognized_by"] = summary.weights.recognized_by;
  json["needs"] = layout ? layout->settings : std::vector<std::string>();
  json["note"] = layout ? layout->note : "";
  json["elements"] = elements_of(file.content);
  json["tensors"] = nlohmann::ordered_json::array();
  for (const auto& [name, tensor] : file.content.tensors) {
    const auto found = names.find(name);
    json["tensors"].push_back({{"name", name},
                               {"shape", tensor.sizes().vec()},
                               {"type", type_text(tensor)},
                               {"kindred", found == names.end() ? nlohmann::ordered_json()
                                                                : nlohmann::ordered_json(found->second)}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

ImportOutcome import_weights(recipe::Plan plan, const ImportOptions& options) {
  const auto file = weights::read_weights_file(options.file, options.key);
  auto population = model::any_population(options.identities.value_or(2));
  if (!options.cameras.empty()) {
    population.cameras.assign(options.cameras.begin(), options.cameras.end());
  }
  if (!options.views.empty()) population.views = options.views;
  const auto build = [&] { return model::build_model(plan, population); };
  auto model = build();
  const auto weights = weights::translate_for(file, weights::known_layouts(plan), *model, "");
  std::vector<recipe::Demand> demands;
  if (weights.layout) demands = weights::meet_demands(plan, *weights.layout, options.file, true);
  const bool changed = std::any_of(demands.begin(), demands.end(), [](const recipe::Demand& demand) {
    return demand.state == recipe::Demand::State::set;
  });
  if (changed) model = build();
  const auto& side = model->side_information();
  require_numbers("camera", side.cameras, options.cameras, options.file);
  require_numbers("view", side.views, options.views, options.file);
  if (!options.identities) model = weights::build_for_identities_of(plan, *model, weights, options.file);
  if (model == nullptr) {
    throw Error("error: " + options.file.string() +
                " has no classifier of the recipe's network, so the number of identities is unknown; give "
                "--identities N");
  }
  const auto differences = weights::recipe_differences(file, plan, /*whole=*/true);
  ImportOutcome outcome;
  outcome.identities = model->population().identities;
  auto allowed = options.allowed;
  if (const auto wrong = weights::useless_pattern(allowed, *model, file); !wrong.empty()) {
    throw Error("error: " + wrong);
  }
  outcome.report = weights::match_weights(weights, *model, "", allowed);
  std::vector<std::string> of_others;
  if (!outcome.report.complete()) {
    of_others = weights::patterns_for_other_identities(plan, outcome.report);
    allowed.missing.insert(allowed.missing.end(), of_others.begin(), of_others.end());
    outcome.report = weights::match_weights(weights, *model, "", allowed);
  }
  if (outcome.report.complete()) {
    weights::copy_weights(weights, *model, "");
    plan.backbone_start = {};
    plan.weights = {options.file.string(), file::sha256_of_file(options.file),
                    options.key.empty() ? std::nullopt : std::optional(options.key), allowed.missing,
                    allowed.unused};
    model::write_model_file(options.out, *model, plan);
    outcome.written = true;
  }
  outcome.text = outcome_text(options, file, outcome, of_others, weights::demands_text(demands), differences);
  return outcome;
}

}  // namespace kindred::command
