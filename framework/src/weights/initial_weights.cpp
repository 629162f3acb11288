#include "weights/initial_weights.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "file/sha256.h"
#include "kindred/core/error.h"
#include "kindred/role/backbone.h"
#include "model/model_file.h"
#include "recipe/wildcard.h"
#include "text/number_text.h"
#include "weights/recipe_differences.h"
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
    std::error_code failure;
    const bool absent = fs::status(*file, failure).type() == fs::file_type::not_found;
    const auto advice = absent ? "; get the file, Kindred downloads nothing, or name another one" : "";
    throw RecipeError(place, key + ": " + error.what() + advice);
  }
}

/// What the log says of a tensor; "" when nothing.
std::string row_text(const TensorRow& row) {
  if (row.state == TensorState::adapted) return row.name + ", adapted: " + row.detail;
  const std::string detail = row.detail.empty() ? "" : " (" + row.detail + ")";
  if (row.state == TensorState::allowed) return "left unchanged: " + row.name + detail;
  return row.state == TensorState::dropped ? "unused: " + row.name + detail : "";
}

/// "weights.pth (layout: torchvision): 267 of 320 tensors matched, ..."
std::string note_of(const std::string& what, const WeightsFile& file, const MatchReport& report) {
  constexpr std::size_t most = 10;
  std::string text = what + " from " + file.file.string() + " (layout: " + report.layout_text() +
                     "): " + report.counts_text();
  if (!file.choice.empty()) text += "\n  " + file.choice;
  std::size_t shown = 0;
  for (const auto& row : report.rows) {
    const auto line = row_text(row);
    if (line.empty()) continue;
    if (++shown > most) break;
    text += "\n  " + line;
  }
  if (shown > most) text += "\n  ...";
  for (const auto& object : file.unknown) text += "\n  not read: " + object;
  if (!report.note.empty()) text += "\n  note: " + report.note;
  return text;
}

/// The tensors whose shape is another one for another population than any_population().
std::set<std::string> tensors_that_depend(const recipe::Plan& plan, const model::Population& other_one) {
  const auto one = model::module_tensors(*model::build_model(plan, model::any_population(2)));
  const auto other = model::module_tensors(*model::build_model(plan, other_one));
  std::set<std::string> names;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i].second.sizes() != other[i].second.sizes()) names.insert(one[i].first);
  }
  return names;
}

/// Those whose shape depends on the number of identities, cameras or views.
std::set<std::string> tensors_of_images(const recipe::Plan& plan) {
  auto other = model::any_population(3);
  other.cameras = {0, 1, 2};
  other.views = {0, 1, 2};
  return tensors_that_depend(plan, other);
}

/// Tensors of the file that are of as many identities as networks of two would have, if length 2 means that.
struct PossibleClassifiers {
  std::int64_t identities = 0;
  std::map<std::string, torch::Tensor> tensors;
};

/// Nothing when none differs from the network of two, or when they do not agree.
std::optional<PossibleClassifiers> possible_classifiers(const model::Model& of_two,
                                                        const TranslatedWeights& weights) {
  std::map<std::string, torch::Tensor> sources;
  for (const auto& entry : weights.tensors) sources.emplace(entry.name, entry.tensor);
  PossibleClassifiers found;
  for (const auto& [name, tensor] : model::module_tensors(of_two)) {
    const auto source = sources.find(name);
    if (source == sources.end() || source->second.sizes() == tensor.sizes()) continue;
    if (source->second.dim() != tensor.dim()) return std::nullopt;
    for (std::int64_t d = 0; d < tensor.dim(); ++d) {
      const auto size = source->second.size(d);
      if (size == tensor.size(d)) continue;
      if (tensor.size(d) != 2 || (!found.tensors.empty() && size != found.identities)) return std::nullopt;
      found.identities = size;
      found.tensors.insert(*source);
    }
  }
  return found.tensors.empty() ? std::nullopt : std::optional(found);
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
         row.state == TensorState::wrong_type || row.state == TensorState::unused;
}

/// Patterns for Allowed::missing of all that keeps a file from fitting; none when that is nothing, or more
/// than tensors that depend on the population.
/// @param depending gives the names of these, and is called where they decide
std::vector<std::string> patterns_for_others(const MatchReport& report,
                                             const std::function<std::set<std::string>()>& depending) {
  std::set<std::string> wrong;
  for (const auto& row : report.rows) {
    if (!is_trouble(row)) continue;
    if (row.state == TensorState::wrong_type || row.state == TensorState::unused) return {};
    wrong.insert(row.name);
  }
  if (wrong.empty()) return {};
  const auto those = depending();
  const auto depends = [&](const std::string& name) { return those.count(name) > 0; };
  if (!std::all_of(wrong.begin(), wrong.end(), depends)) return {};
  const auto pattern = common_beginning(wrong) + "*";
  const bool too_wide = std::any_of(report.rows.begin(), report.rows.end(), [&](const TensorRow& row) {
    const bool of_file = row.state == TensorState::unused || row.state == TensorState::dropped;
    return !of_file && !depends(row.name) && recipe::matches_wildcard(pattern, row.name);
  });
  if (!too_wide) return {pattern};
  return {wrong.begin(), wrong.end()};
}

/// What to do about a file that does not fit, or "".
std::string advice(const MatchReport& report, bool whole) {
  if (whole && report.lacks_the_head_alone()) return "\nit contains only a backbone: use [backbone] weights";
  if (report.count(TensorState::unused) == 0) return "";
  return std::string(
             "\nwhat has no place takes part in the file's network, whose outputs would be others; "
             "choose components that have it or, if it is of no use, name it in ") +
         (whole ? "[weights] allow_unused" : "[backbone] weights_allow_unused");
}

/// What a plan starts from.
struct Start {
  fs::path file;
  std::optional<std::string> hash;
  std::string key;
  Allowed allowed;
  bool whole = false;  ///< the whole network, not the backbone alone
  SourceLocation location;

  [[nodiscard]] std::string prefix() const { return whole ? "" : backbone_prefix; }
};

std::optional<Start> start_of(const recipe::Plan& plan) {
  const auto& whole = plan.weights;
  const auto& part = plan.backbone_start;
  if (whole.file) {
    return Start{
        *whole.file, whole.sha256,         whole.key.value_or(""), {whole.allow_missing, whole.allow_unused},
        true,        plan.weights_location};
  }
  if (!part.weights) return std::nullopt;
  return Start{
      *part.weights, part.weights_sha256,   part.weights_key.value_or(""), {{}, part.weights_allow_unused},
      false,         plan.backbone.location};
}

/// Sets in the plan what the layouts of its files demand.
std::vector<recipe::Demand> settle(recipe::Plan& plan, const Start& start) {
  const auto file = read_weights_file(start.file, start.key);
  const auto known = known_layouts(plan);
  if (!may_demand(file, known)) return {};
  std::shared_ptr<torch::nn::Module> part;
  const auto model = model::build_model(plan, model::any_population(2), [&](Backbone& backbone) {
    if (!start.whole) part = backbone.trunk(backbone.blocks().back());
  });
  const torch::nn::Module& module = part ? *part : static_cast<const torch::nn::Module&>(*model);
  const auto weights = translate_for(file, known, module, start.prefix());
  return weights.layout ? meet_demands(plan, *weights.layout, start.file, start.whole)
                        : std::vector<recipe::Demand>();
}

/// Takes out of a model file's tensors those of other cameras or views, which fit where there are as many,
/// and returns their names.
std::set<std::string> leave_out_others(TranslatedWeights& weights, const WeightsFile& file,
                                       const recipe::Plan& plan, const model::Population& population) {
  const auto others = model::other_sides(file.content, population);
  if (!others.cameras && !others.views) return {};
  auto other = model::any_population(2);
  if (others.cameras) other.cameras = {0, 1, 2};
  if (others.views) other.views = {0, 1, 2};
  const auto names = tensors_that_depend(plan, other);
  std::set<std::string> left_out;
  std::erase_if(weights.tensors, [&](const NamedSource& entry) {
    const bool depends = names.count(entry.name) > 0;
    if (depends) left_out.insert(entry.name);
    return depends;
  });
  return left_out;
}

/// Puts a file's tensors into a network, or into its backbone.
void load(const Start& start, const recipe::Plan& plan, const model::Population& population,
          torch::nn::Module& module, std::vector<std::string>& notes) {
  require_hash(start.file, start.hash);
  const auto file = read_weights_file(start.file, start.key);
  if (const auto wrong = useless_pattern(start.allowed, module, file); !wrong.empty()) {
    throw RecipeError(start.location, (start.whole ? "[weights]: " : "[backbone]: weights_") + wrong);
  }
  const auto prefix = start.prefix();
  auto weights = translate_for(file, known_layouts(plan), module, prefix);
  const auto left_out = leave_out_others(weights, file, plan, population);
  auto allowed = start.allowed;
  const auto matched = [&] {
    auto report = match_weights(weights, module, prefix, allowed);
    for (auto& row : report.rows) {
      if (left_out.count(row.name) > 0) row.detail = "of other cameras or views in the file";
    }
    return report;
  };
  auto report = matched();
  std::vector<std::string> of_others;
  if (!report.complete()) {
    of_others = patterns_for_others(report, [&] { return tensors_of_images(plan); });
    allowed.missing.insert(allowed.missing.end(), of_others.begin(), of_others.end());
    report = matched();
  }
  if (!report.complete()) {
    throw DataError(start.file, "its tensors (layout: " + report.layout_text() + ") do not match the " +
                                    (start.whole ? "network" : "backbone") + ":" + trouble_text(report) +
                                    advice(report, start.whole) + "\n`kindred weights inspect " +
                                    start.file.string() + "` lists its tensors");
  }
  copy_weights(weights, module, prefix);
  auto note = note_of(start.whole ? "weights of the network" : "weights of the backbone", file, report);
  if (!of_others.empty()) {
    const bool of_backbone = std::any_of(of_others.begin(), of_others.end(), [](const auto& pattern) {
      return pattern.find(backbone_prefix) != std::string::npos;
    });
    note += std::string("\n  the file is not of these ") +
            (of_backbone ? "identities, cameras or views" : "identities") + ": " + of_others.front();
    for (std::size_t i = 1; i < of_others.size(); ++i) note += ", " + of_others[i];
    note += std::string(of_others.size() == 1 ? " starts" : " start") + " from random numbers";
  }
  // No file says who its identities are, and as many others fit as well.
  const bool takes_head =
      start.whole && std::none_of(report.rows.begin(), report.rows.end(), [](const auto& row) {
        return row.state == TensorState::allowed && row.name.starts_with(head_prefix);
      });
  if (takes_head) {
    note +=
        "\n  its classifiers are taken, too: it has as many identities as the training images, which are "
        "expected to be the same people";
  }
  if (const auto other = recipe_differences(file, plan, start.whole); !other.empty()) {
    note += "\n  the recipe of its training says otherwise: " + other;
  }
  notes.push_back(std::move(note));
}

}  // namespace

void require_hash(const fs::path& file, const std::optional<std::string>& expected) {
  if (!expected) return;
  const auto actual = file::sha256_of_file(file);
  if (actual == *expected) return;
  throw DataError(file, "is not the file of the recipe: its SHA-256 is " + actual +
                            ", but the recipe expects " + *expected);
}

recipe::Plan settled(recipe::Plan plan) {
  add_hash(plan.backbone_start.weights, plan.backbone_start.weights_sha256, plan.backbone.location,
           "[backbone] weights");
  add_hash(plan.weights.file, plan.weights.sha256, plan.weights_location, "[weights] file");
  for (auto& loss : plan.losses) {
    add_hash(loss.weights_file, loss.weights_sha256, loss.location, "[[loss]] weights_file");
  }
  for (auto& teacher : plan.teachers) {
    add_hash(teacher.weights, teacher.weights_sha256, teacher.location, "teacher '" + teacher.name + "'");
  }
  // A file that is gone belongs to a training that has begun: its own recipe says what the file demanded.
  if (const auto start = start_of(plan); start && fs::exists(start->file)) settle(plan, *start);
  return plan;
}

std::vector<recipe::Demand> meet_demands(recipe::Plan& plan, const FileLayout& layout, const fs::path& file,
                                         bool whole) {
  auto demands = recipe::meet_demands(plan, whole ? layout.settings : layout.backbone_settings);
  Diagnostics diagnostics;
  for (const auto& demand : demands) {
    const auto begin = "the weights " + file.string() + " (layout: " + layout.name + ") need " + demand.text;
    if (demand.state == recipe::Demand::State::denied) {
      diagnostics.error(demand.location,
                        begin + ", but the recipe says " + demand.answer + "; leave it out, and it is set");
    } else if (demand.state == recipe::Demand::State::unknown) {
      diagnostics.error(demand.location, begin + ": " + demand.answer +
                                             "; choose a component that has it, or one with a weights layout "
                                             "of its own");
    }
  }
  diagnostics.throw_if_any();
  return demands;
}

std::string demands_text(const std::vector<recipe::Demand>& demands) {
  std::string text;
  for (const auto& demand : demands) {
    if (demand.state == recipe::Demand::State::idle) continue;
    text += (text.empty() ? "" : ", ") + demand.text +
            (demand.state == recipe::Demand::State::set ? " (set)" : "");
  }
  return text;
}

std::shared_ptr<model::Model> build_initial_model(const recipe::Plan& plan,
                                                  const model::Population& population,
                                                  std::vector<std::string>& notes) {
  const auto start = start_of(plan);
  if (!start) return model::build_model(plan, population);
  require_hash(start->file, start->hash);
  auto fitted = plan;
  const auto demands = settle(fitted, *start);
  auto model = model::build_model(fitted, population, [&](Backbone& backbone) {
    if (!start->whole) load(*start, fitted, population, *backbone.trunk(backbone.blocks().back()), notes);
  });
  if (start->whole) load(*start, fitted, population, *model, notes);
  if (const auto text = demands_text(demands); !text.empty()) notes.back() += "\n  it needs: " + text;
  return model;
}

TranslatedWeights translate_for_plan(const WeightsFile& file, const recipe::Plan& plan) {
  return translate_for(file, known_layouts(plan), *model::build_model(plan, model::any_population(2)), "");
}

std::vector<std::string> patterns_for_other_identities(const recipe::Plan& plan, const MatchReport& report) {
  return patterns_for_others(report, [&] { return tensors_that_depend(plan, model::any_population(3)); });
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

std::shared_ptr<model::Model> build_for_identities_of(const recipe::Plan& plan, const model::Model& of_two,
                                                      const TranslatedWeights& weights,
                                                      const fs::path& file) {
  std::int64_t numbers = 0;
  for (const auto& entry : weights.tensors) numbers += entry.tensor.numel();
  const auto build = [&](std::int64_t identities) {
    auto population = of_two.population();
    population.identities = identities;
    const model::BuildingLimit limit(numbers, file,
                                     "its classifier of " + text::grouped_digits(identities) + " identities");
    return model::build_model(plan, population);
  };
  if (const auto possible = possible_classifiers(of_two, weights)) {
    auto model = build(possible->identities);
    const auto tensors = model::module_tensors(*model);
    const bool right = std::all_of(tensors.begin(), tensors.end(), [&](const auto& entry) {
      const auto source = possible->tensors.find(entry.first);
      return source == possible->tensors.end() || source->second.sizes() == entry.second.sizes();
    });
    if (right) return model;
  }
  const auto identities = identities_of(plan, weights, file);
  return identities ? build(*identities) : nullptr;
}

}  // namespace kindred::weights
