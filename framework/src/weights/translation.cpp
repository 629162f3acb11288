#include "weights/translation.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <string_view>
#include <utility>

#include "kindred/core/error.h"
#include "model/model_file.h"
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

/// Networks that a file may hold side by side.
struct Twins {
  std::string_view taken;
  std::string_view other;
  std::string_view
      pretraining;  ///< what begins so beside them is of no use to anybody else; "": nothing does
};

/// Of self-distillation (DINO), of MoCo v3, and of MoCo and MoCo v2.
constexpr std::array<Twins, 3> twins = {{{"teacher.", "student.", ""},
                                         {"base_encoder.", "momentum_encoder.", "predictor."},
                                         {"encoder_q.", "encoder_k.", "queue"}}};

/// What torch.compile puts into names, also within them.
constexpr std::string_view compiled = "_orig_mod.";

/// What programs put ahead of all names of a network, or of one of several.
constexpr std::array<std::string_view, 9> wrappers = {"module.",    compiled,    "model.",
                                                      "teacher.",   "student.",  "base_encoder.",
                                                      "encoder_q.", "backbone.", "encoder."};

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

/// How the names that begin with the prefix go on: the parts, with how many names each has.
std::map<std::string, std::size_t> next_parts(const WeightsFile& file, const std::string& prefix) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [name, tensor] : file.content.tensors) {
    const auto dot = name.starts_with(prefix) ? name.find('.', prefix.size()) : std::string::npos;
    if (dot != std::string::npos) ++counts[name.substr(prefix.size(), dot + 1 - prefix.size())];
  }
  return counts;
}

/// The wrappers among the next parts, in their order, and the part that more than half of the file's names
/// have.
/// @param any take off that last one, whatever it is
Names parts_to_take_off(const WeightsFile& file, const std::string& prefix, bool any) {
  const auto counts = next_parts(file, prefix);
  Names parts;
  for (const auto wrapper : wrappers) {
    if (counts.count(std::string(wrapper)) > 0) parts.emplace_back(wrapper);
  }
  for (const auto& [part, count] : counts) {
    const bool most = 2 * count > file.content.tensors.size();
    if (any && most && std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  }
  return parts;
}

/// Names as they are, without what wraps all of them.
Candidate unrecognized(const WeightsFile& file) {
  std::string prefix;
  for (;;) {
    const auto counts = next_parts(file, prefix);
    const bool all = counts.size() == 1 && counts.begin()->second == file.content.tensors.size();
    if (!all || (counts.begin()->first != "module." && counts.begin()->first != compiled)) break;
    prefix += counts.begin()->first;
  }
  return {prefix, nullptr};
}

/// Whether a name begins as `other` does where the prefix has `own`.
bool is_beside(const std::string& name, const std::string& prefix, std::string_view own,
               std::string_view other) {
  const auto at = prefix.find(own);
  if (at == std::string::npos || (at > 0 && prefix[at - 1] != '.')) return false;
  return name.starts_with(prefix.substr(0, at) + std::string(other));
}

/// Whether a name is of a network beside the one that the prefix leads to.
bool is_of_twin(const std::string& name, const std::string& prefix) {
  return std::any_of(twins.begin(), twins.end(), [&](const Twins& pair) {
    return is_beside(name, prefix, pair.taken, pair.other) || is_beside(name, prefix, pair.other, pair.taken);
  });
}

/// Whether a name is of what only the pretraining of such networks needs.
bool is_of_pretraining(const std::string& name, const std::string& prefix) {
  return std::any_of(twins.begin(), twins.end(), [&](const Twins& pair) {
    return !pair.pretraining.empty() && (is_beside(name, prefix, pair.taken, pair.pretraining) ||
                                         is_beside(name, prefix, pair.other, pair.pretraining));
  });
}

/// What all names that a layout knows of a backbone begin with: "base.", or "".
std::string beginning_of_backbone(const FileLayout& layout) {
  std::optional<std::string> common;
  for (const auto& rule : layout.rules) {
    if (!rule.to.starts_with(backbone_prefix)) continue;
    const auto beginning = rule.from.substr(0, rule.from.find('.') + 1);
    if (common && *common != beginning) return "";
    common = beginning;
  }
  return common.value_or("");
}

/// The component's tensor, made of the file's as the rule says.
torch::Tensor converted(const RenameRule& rule, const torch::Tensor& tensor, const std::string& source,
                        const WeightsFile& file) {
  if (!rule.convert) return tensor;
  const auto fail = [&](const std::string& why) {
    throw DataError(file.file, "its tensor '" + text::printable(source) + "' " + model::shape_text(tensor) +
                                   " cannot be made '" + rule.to + "' of: " + why);
  };
  torch::Tensor made;
  try {
    made = rule.convert(tensor);
  } catch (const c10::Error& error) {
    fail(error.what_without_backtrace());
  } catch (const std::exception& error) {
    fail(error.what());
  }
  if (!made.defined()) fail("the layout makes nothing of it");
  return made;
}

/// How well a candidate explains the names of a file; the first that differs decides.
struct Reading {
  std::int64_t known = 0;    ///< tensors that its layout has a name for, or knows to be of no use
  std::size_t required = 0;  ///< how much the layout asks for
  std::int64_t named = 0;    ///< tensors that the layout has a name for

  auto operator<=>(const Reading&) const = default;
};

/// Nothing but zeros without a layout, or where it names nothing.
Reading reading_of(const WeightsFile& file, const Candidate& candidate) {
  if (candidate.layout == nullptr) return {};
  const auto& layout = *candidate.layout;
  Reading reading{.required = layout.required.size()};
  for (const auto& name : plain_names(file, candidate.prefix)) {
    const bool named = translated(layout, name).has_value();
    if (named) ++reading.named;
    if (named || is_dropped(layout, name)) ++reading.known;
  }
  return reading.named > 0 ? reading : Reading();
}

/// Whether a candidate of Kindred's own names takes those of another program that begin in the same way, as
/// DINO's 'backbone.cls_token' beside 'head.mlp.0.weight': what follows are names that layouts know, and none
/// of these layouts keeps them.
bool is_of_another_program(const WeightsFile& file, const Candidate& candidate,
                           const std::vector<Candidate>& candidates) {
  if (candidate.layout == nullptr || !candidate.layout->own) return false;
  const auto& metadata = file.content.metadata;
  const bool written_here = std::any_of(metadata.begin(), metadata.end(), [](const auto& entry) {
    return entry.first.starts_with("kindred.");
  });
  if (written_here) return false;
  const auto& form = candidate.layout->required.front();
  const auto prefix = candidate.prefix + form.substr(0, form.size() - 1);
  const auto names = plain_names(file, prefix);
  const auto renames = [&](const Candidate& other) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      const auto translation = translated(*other.layout, name);
      return translation && translation->name != backbone_prefix + name;
    });
  };
  bool known = false;
  for (const auto& other : candidates) {
    if (other.layout == nullptr || other.layout->own || other.prefix != prefix) continue;
    if (!renames(other)) return false;
    known = true;
  }
  return known;
}

}  // namespace

std::vector<Candidate> candidates_of(const WeightsFile& file, const std::vector<FileLayout>& known,
                                     bool any) {
  constexpr std::size_t most_prefixes = 32;
  std::vector<Candidate> candidates;
  Names prefixes = {""};
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    const auto prefix = prefixes[i];
    for (const auto* layout : possible_layouts(known, plain_names(file, prefix))) {
      candidates.push_back({prefix, layout});
    }
    candidates.push_back({prefix, nullptr});
    for (const auto& part : parts_to_take_off(file, prefix, any)) {
      if (prefixes.size() < most_prefixes) prefixes.push_back(prefix + part);
    }
  }
  return candidates;
}

std::string prefix_of_twin(const std::string& name, const std::string& prefix) {
  const auto differ = std::mismatch(prefix.begin(), prefix.end(), name.begin(), name.end()).second;
  return name.substr(0, name.find('.', static_cast<std::size_t>(differ - name.begin())) + 1);
}

TranslatedWeights translated_by(const WeightsFile& file, const Candidate& candidate,
                                const std::set<std::string>& network) {
  TranslatedWeights result;
  result.file = file.file;
  if (candidate.layout != nullptr) result.layout = *candidate.layout;
  result.prefix = candidate.prefix;
  const auto all = plain_names(file, candidate.prefix);
  if (result.layout) result.recognized_by = recognized_by(*result.layout, all);
  const auto beginning = result.layout ? beginning_of_backbone(*result.layout) : "";
  const std::string assumed = has_parts(all) ? "" : backbone_prefix;
  std::map<std::string, std::string> names;
  for (const auto& [source, tensor] : file.content.tensors) {
    const auto plain = plain_name(source, candidate.prefix);
    if (!plain) {
      (is_of_twin(source, candidate.prefix)          ? result.twins
       : is_of_pretraining(source, candidate.prefix) ? result.dropped
                                                     : result.outside)
          .push_back(source);
      continue;
    }
    std::optional<std::string> name = assumed + *plain;
    auto made = tensor;
    if (result.layout) {
      const auto translation = translated(*result.layout, *plain, network);
      name = translation ? std::optional(translation->name) : std::nullopt;
      if (translation) made = converted(*translation->rule, tensor, source, file);
    }
    if (!name) {
      const bool beyond = !plain->starts_with(beginning);
      (is_dropped(*result.layout, *plain) ? result.dropped
       : beyond                           ? result.outside
                                          : result.unused)
          .push_back(source);
      continue;
    }
    const auto [place, is_new] = names.emplace(*name, source);
    if (!is_new) {
      throw DataError(file.file, "its tensors '" + text::printable(place->second) + "' and '" +
                                     text::printable(source) + "' would both be '" + text::printable(*name) +
                                     "'");
    }
    result.tensors.push_back({std::move(*name), source, std::move(made)});
  }
  return result;
}

bool may_demand(const WeightsFile& file, const std::vector<FileLayout>& known) {
  const auto candidates = candidates_of(file, known, true);
  return std::any_of(candidates.begin(), candidates.end(), [](const Candidate& candidate) {
    return candidate.layout != nullptr && !candidate.layout->settings.empty();
  });
}

TranslatedWeights translate(const WeightsFile& file, const std::vector<FileLayout>& known) {
  const auto candidates = candidates_of(file, known, false);
  const Candidate* best = nullptr;
  Reading most;
  for (const auto& candidate : candidates) {
    const auto reading = reading_of(file, candidate);
    if (reading <= most || is_of_another_program(file, candidate, candidates)) continue;
    best = &candidate;
    most = reading;
  }
  return translated_by(file, best != nullptr ? *best : unrecognized(file));
}

}  // namespace kindred::weights
