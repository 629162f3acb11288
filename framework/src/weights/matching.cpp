#include "weights/matching.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "model/model_file.h"
#include "recipe/wildcard.h"
#include "text/printable.h"

namespace kindred::weights {
namespace {

using Names = std::vector<std::string>;

/// Whether names say themselves to what part of a model they belong.
bool has_parts(const Names& names) {
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.starts_with(backbone_prefix) || name.starts_with(head_prefix);
  });
}

bool fits_type(const torch::Tensor& source, const torch::Tensor& tensor) {
  return source.scalar_type() == tensor.scalar_type() ||
         (source.is_floating_point() && tensor.is_floating_point());
}

bool is_counter(const std::string& name) {
  return name.ends_with(".num_batches_tracked");
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return recipe::matches_wildcard(pattern, name); });
}

std::map<std::string, const NamedSource*> by_name(const TranslatedWeights& weights,
                                                  const std::string& prefix) {
  std::map<std::string, const NamedSource*> sources;
  for (const auto& entry : weights.tensors) {
    if (entry.name.rfind(prefix, 0) == 0) sources.emplace(entry.name, &entry);
  }
  return sources;
}

std::string listed(const MatchReport& report, TensorState state, const std::string& what) {
  constexpr std::int64_t most = 10;
  const auto count = report.count(state);
  if (count == 0) return "";
  std::string text = "\n  " + std::to_string(count) + " " + what + ": ";
  std::int64_t shown = 0;
  for (const auto& row : report.rows) {
    if (row.state != state || shown == most) continue;
    text += (shown++ == 0 ? "" : ", ") + row.name + (row.detail.empty() ? "" : " " + row.detail);
  }
  return text + (count > most ? ", ..." : "");
}

/// One way to read the names of a file.
struct Candidate {
  std::string prefix;
  const WeightsLayout* layout;  ///< nullptr: names as they are
};

/// What torch.compile puts into names, also within them.
constexpr std::string_view compiled = "_orig_mod.";

bool is_wrapper(const std::string& part) {
  return part == "module." || part == compiled || part == "model." || part == "backbone.";
}

/// The part of a name that a layout says; nothing when the name does not begin with the prefix.
std::optional<std::string> plain_name(const std::string& name, const std::string& prefix) {
  if (name.size() <= prefix.size() || !name.starts_with(prefix)) return std::nullopt;
  auto plain = name.substr(prefix.size());
  for (auto at = plain.find(compiled); at != std::string::npos; at = plain.find(compiled, at)) {
    plain.erase(at, compiled.size());
  }
  return plain.empty() ? std::nullopt : std::optional(plain);
}

Names plain_names(const WeightsFile& file, const std::string& prefix) {
  Names names;
  for (const auto& [name, tensor] : file.content.tensors) {
    if (auto plain = plain_name(name, prefix)) names.push_back(std::move(*plain));
  }
  return names;
}

/// "module." when more than half of the names go on so after the prefix; else "".
std::string next_part(const WeightsFile& file, const std::string& prefix) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [name, tensor] : file.content.tensors) {
    const auto dot = name.starts_with(prefix) ? name.find('.', prefix.size()) : std::string::npos;
    if (dot != std::string::npos) ++counts[name.substr(prefix.size(), dot + 1 - prefix.size())];
  }
  for (const auto& [part, count] : counts) {
    if (2 * count > file.content.tensors.size()) return part;
  }
  return "";
}

/// Shorter prefixes first, and of each the possible layouts in their order, then the names as they are.
template <class MayTakeOff>
std::vector<Candidate> candidates_of(const WeightsFile& file, const std::vector<WeightsLayout>& known,
                                     const MayTakeOff& may_take_off) {
  constexpr int most_parts = 5;
  std::vector<Candidate> candidates;
  std::string prefix;
  for (int i = 0; i <= most_parts; ++i) {
    for (const auto* layout : possible_layouts(known, plain_names(file, prefix))) {
      candidates.push_back({prefix, layout});
    }
    candidates.push_back({prefix, nullptr});
    const auto part = next_part(file, prefix);
    if (part.empty() || !may_take_off(part)) break;
    prefix += part;
  }
  return candidates;
}

/// Names as they are, without what wraps all of them.
Candidate unrecognised(const WeightsFile& file) {
  std::string prefix;
  const auto all_have = [&](const std::string& part) {
    return std::all_of(file.content.tensors.begin(), file.content.tensors.end(),
                       [&](const auto& entry) { return plain_name(entry.first, prefix + part).has_value(); });
  };
  for (auto part = next_part(file, prefix); (part == "module." || part == compiled) && all_have(part);
       part = next_part(file, prefix)) {
    prefix += part;
  }
  return {prefix, nullptr};
}

/// How many tensors a candidate's layout has a name for; 0 without a layout.
std::int64_t count_named(const WeightsFile& file, const Candidate& candidate) {
  if (candidate.layout == nullptr) return 0;
  const auto names = plain_names(file, candidate.prefix);
  return std::count_if(names.begin(), names.end(), [&](const std::string& name) {
    return translated(*candidate.layout, name).has_value();
  });
}

/// Throws DataError when two tensors would have the same name.
TranslatedWeights translated_by(const WeightsFile& file, const Candidate& candidate) {
  TranslatedWeights result;
  if (candidate.layout != nullptr) result.layout = *candidate.layout;
  result.prefix = candidate.prefix;
  const std::string assumed = has_parts(plain_names(file, candidate.prefix)) ? "" : backbone_prefix;
  std::map<std::string, std::string> names;
  for (const auto& [source, tensor] : file.content.tensors) {
    const auto plain = plain_name(source, candidate.prefix);
    auto name = !plain          ? std::nullopt
                : result.layout ? translated(*result.layout, *plain)
                                : std::optional<std::string>(assumed + *plain);
    if (!name) {
      const bool dropped = plain && is_dropped(*result.layout, *plain);
      (dropped ? result.dropped : result.unused).push_back(source);
      continue;
    }
    const auto [place, is_new] = names.emplace(*name, source);
    if (!is_new) {
      throw DataError(file.file, "its tensors '" + text::printable(place->second) + "' and '" +
                                     text::printable(source) + "' would both be '" + text::printable(*name) +
                                     "'");
    }
    result.tensors.push_back({std::move(*name), source, tensor});
  }
  return result;
}

/// How many tensors of a network match, and how many have their name in the file.
std::pair<std::int64_t, std::int64_t> fit_of(const TranslatedWeights& weights,
                                             const torch::nn::Module& module, const std::string& prefix) {
  const auto report = match_weights(weights, module, prefix, {});
  const auto found = std::count_if(report.rows.begin(), report.rows.end(), [](const TensorRow& row) {
    return row.state != TensorState::unused && !row.source.empty();
  });
  return {report.count(TensorState::matched), found};
}

}  // namespace

TranslatedWeights translate(const WeightsFile& file, const std::vector<WeightsLayout>& known) {
  const auto candidates = candidates_of(file, known, is_wrapper);
  const Candidate* best = nullptr;
  std::int64_t most = 0;
  for (const auto& candidate : candidates) {
    const auto named = count_named(file, candidate);
    if (best != nullptr && named <= most) continue;
    best = &candidate;
    most = named;
  }
  return translated_by(file, most > 0 ? *best : unrecognised(file));
}

TranslatedWeights translate_for(const WeightsFile& file, const std::vector<WeightsLayout>& known,
                                const torch::nn::Module& module, const std::string& prefix) {
  const auto candidates = candidates_of(file, known, [](const std::string&) { return true; });
  std::optional<TranslatedWeights> best;
  std::pair<std::int64_t, std::int64_t> most;
  std::optional<DataError> conflict;
  for (const auto& candidate : candidates) {
    try {
      auto weights = translated_by(file, candidate);
      const auto fit = fit_of(weights, module, prefix);
      // With equal numbers, a layout that is known counts more than names as they are.
      const bool better =
          !best || fit > most || (fit == most && fit.first > 0 && weights.layout && !best->layout);
      if (!better) continue;
      best = std::move(weights);
      most = fit;
    } catch (const DataError& error) {
      if (!conflict) conflict = error;
    }
  }
  if (!best && conflict) throw DataError(*conflict);
  return most.second > 0 ? std::move(*best) : translate(file, known);
}

std::int64_t MatchReport::count(TensorState state) const {
  return std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.state == state; });
}

std::string MatchReport::layout_text() const {
  return layout + (prefix.empty() ? "" : ", without the prefix '" + text::printable(prefix) + "'");
}

bool MatchReport::complete() const {
  return count(TensorState::missing) + count(TensorState::wrong_shape) + count(TensorState::wrong_type) == 0;
}

std::string MatchReport::counts_text() const {
  const auto all = static_cast<std::int64_t>(rows.size()) - count(TensorState::unused);
  std::string text =
      std::to_string(count(TensorState::matched)) + " of " + std::to_string(all) + " tensors matched";
  const auto add = [&](TensorState state, const std::string& what) {
    if (const auto number = count(state); number > 0) text += ", " + std::to_string(number) + " " + what;
  };
  add(TensorState::counter, "not in the file, set to 0 (counters of batch norms)");
  add(TensorState::allowed, "left unchanged, as allowed");
  add(TensorState::missing, "missing");
  add(TensorState::wrong_shape, "with the wrong shape");
  add(TensorState::wrong_type, "with the wrong type");
  text += ", " + std::to_string(count(TensorState::unused)) + " of the file unused";
  return text;
}

MatchReport match_weights(const TranslatedWeights& weights, const torch::nn::Module& module,
                          const std::string& prefix, const std::vector<std::string>& allow_missing) {
  MatchReport report;
  report.layout = weights.layout ? weights.layout->name : "not recognized";
  report.prefix = weights.prefix;
  report.note = weights.layout ? weights.layout->note : "";
  const auto sources = by_name(weights, prefix);
  std::set<std::string> names;
  for (const auto& [name, tensor] : model::module_tensors(module, prefix)) {
    names.insert(name);
    const bool allowed = any_matches(allow_missing, name);
    const auto found = sources.find(name);
    TensorRow row{TensorState::matched, name, "", ""};
    if (found == sources.end()) {
      row.state = is_counter(name) ? TensorState::counter
                  : allowed        ? TensorState::allowed
                                   : TensorState::missing;
      if (row.state == TensorState::allowed) row.detail = "not in the file";
    } else {
      const auto& source = found->second->tensor;
      row.source = found->second->source;
      if (source.sizes() != tensor.sizes()) {
        row.state = allowed ? TensorState::allowed : TensorState::wrong_shape;
        row.detail = model::shape_text(source) + " instead of " + model::shape_text(tensor);
      } else if (!fits_type(source, tensor)) {
        row.state = TensorState::wrong_type;
        row.detail = std::string(torch::toString(source.scalar_type())) + " instead of " +
                     torch::toString(tensor.scalar_type());
      }
    }
    report.rows.push_back(std::move(row));
  }
  const auto add_unused = [&](const std::string& source, const std::string& detail) {
    report.rows.push_back({TensorState::unused, text::printable(source), text::printable(source), detail});
  };
  for (const auto& entry : weights.tensors) {
    if (names.count(entry.name) > 0) continue;
    const bool renamed = entry.name != entry.source;
    add_unused(entry.source, renamed ? "would be " + text::printable(entry.name) : "");
  }
  for (const auto& source : weights.unused) add_unused(source, "");
  for (const auto& source : weights.dropped) add_unused(source, "known to be of no use");
  return report;
}

void copy_weights(const TranslatedWeights& weights, torch::nn::Module& module, const std::string& prefix) {
  const torch::NoGradGuard no_grad;
  const auto sources = by_name(weights, prefix);
  for (auto& [name, tensor] : model::module_tensors(module, prefix)) {
    const auto found = sources.find(name);
    if (found == sources.end()) {
      if (is_counter(name)) tensor.zero_();
      continue;
    }
    const auto& source = found->second->tensor;
    if (source.sizes() == tensor.sizes() && fits_type(source, tensor)) tensor.copy_(source);
  }
}

std::string useless_pattern(const std::vector<std::string>& patterns, const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& entry : model::module_tensors(module)) names.push_back(entry.first);
  for (const auto& pattern : patterns) {
    const bool used = std::any_of(names.begin(), names.end(),
                                  [&](const auto& name) { return recipe::matches_wildcard(pattern, name); });
    if (used) continue;
    const auto near = nearest_name(pattern, names);
    return "the network has no tensor '" + pattern + "' that --allow-missing could match" +
           (near.empty() ? "" : "; did you mean '" + near + "'?");
  }
  return "";
}

bool MatchReport::lacks_the_head_alone() const {
  const auto of_head = [](const TensorRow& row) { return row.name.starts_with(head_prefix); };
  return count(TensorState::missing) > 0 && std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
           const bool wrong = row.state == TensorState::missing || row.state == TensorState::wrong_shape ||
                              row.state == TensorState::wrong_type;
           return row.state == TensorState::matched ? !of_head(row) : !wrong || of_head(row);
         });
}

std::string trouble_text(const MatchReport& report) {
  return listed(report, TensorState::missing, "missing") +
         listed(report, TensorState::wrong_shape, "wrong shape") +
         listed(report, TensorState::wrong_type, "wrong type");
}

}  // namespace kindred::weights
