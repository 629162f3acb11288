#include "weights/layouts.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <system_error>
#include <utility>

#include "kindred/role/backbone.h"
#include "kindred/role/head.h"

namespace kindred::weights {
namespace {

/// What '#' and '*' stood for.
struct Captured {
  std::int64_t number = 0;
  std::string_view rest;
};

std::optional<Captured> match(std::string_view form, std::string_view name) {
  Captured captured;
  while (!form.empty()) {
    if (form == "*") {
      captured.rest = name;
      return captured;
    }
    if (form.front() == '#') {
      const auto result = std::from_chars(name.data(), name.data() + name.size(), captured.number);
      if (result.ec != std::errc() || captured.number < 0 || captured.number > 9999) return std::nullopt;
      name.remove_prefix(static_cast<std::size_t>(result.ptr - name.data()));
    } else {
      if (name.empty() || name.front() != form.front()) return std::nullopt;
      name.remove_prefix(1);
    }
    form.remove_prefix(1);
  }
  return name.empty() ? std::optional<Captured>(captured) : std::nullopt;
}

std::string filled(std::string_view form, const Captured& captured) {
  std::string name;
  while (!form.empty()) {
    if (form.starts_with("#+1")) {
      name += std::to_string(captured.number + 1);
      form.remove_prefix(3);
      continue;
    }
    if (form.front() == '#') {
      name += std::to_string(captured.number);
    } else if (form.front() == '*') {
      name += captured.rest;
    } else {
      name += form.front();
    }
    form.remove_prefix(1);
  }
  return name;
}

/// Adds what a component declares; in a whole network its own names follow a prefix.
void add(WeightsLayout& whole, const WeightsLayout& part, const std::string& prefix) {
  const auto append = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  if (!whole.note.empty() && !part.note.empty()) whole.note += "; ";
  whole.note += part.note;
  append(whole.required, part.required);
  for (const auto& rule : part.rules) whole.rules.push_back({rule.from, prefix + rule.to, rule.convert});
  append(whole.dropped, part.dropped);
  append(whole.settings, part.settings);
}

/// What the components of a role declare, those of `first` ahead.
std::vector<WeightsLayout> declared(const Catalog& catalog, std::string_view role,
                                    const ComponentFactory* first) {
  auto factories = catalog.components(role);
  std::stable_partition(factories.begin(), factories.end(),
                        [&](const auto* factory) { return factory == first; });
  std::vector<WeightsLayout> layouts;
  for (const auto* factory : factories) {
    const auto& own = factory->info().weights_layouts;
    layouts.insert(layouts.end(), own.begin(), own.end());
  }
  return layouts;
}

std::vector<FileLayout> composed(const std::vector<WeightsLayout>& backbones,
                                 const std::vector<WeightsLayout>& heads) {
  std::vector<FileLayout> known;
  std::vector<FileLayout> alone;
  for (const auto& backbone : backbones) {
    auto& part = alone.emplace_back(FileLayout{{.name = backbone.name}});
    std::copy_if(backbone.settings.begin(), backbone.settings.end(),
                 std::back_inserter(part.backbone_settings),
                 [](const std::string& setting) { return !setting.starts_with("backbone.last_stride="); });
    add(part, backbone, backbone_prefix);
    for (const auto& head : heads) {
      if (head.name != backbone.name) continue;
      auto& whole = known.emplace_back(part);
      add(whole, head, head_prefix);
    }
  }
  known.push_back({{.name = "Kindred",
                    .required = {"backbone.*", "head.*"},
                    .rules = {{"backbone.*", "backbone.*"}, {"head.*", "head.*"}}},
                   {},
                   /*own=*/true});
  known.push_back({{.name = "Kindred checkpoint",
                    .required = {"model.backbone.*", "model.head.*"},
                    .rules = {{"model.backbone.*", "backbone.*"}, {"model.head.*", "head.*"}},
                    .dropped = {"*"}},
                   {},
                   /*own=*/true});
  known.insert(known.end(), alone.begin(), alone.end());
  return known;
}

}  // namespace

std::vector<FileLayout> known_layouts(const Catalog& catalog) {
  return composed(declared(catalog, Backbone::role_name, nullptr),
                  declared(catalog, Head::role_name, nullptr));
}

std::vector<FileLayout> known_layouts(const recipe::Plan& plan) {
  return composed(declared(*plan.catalog, Backbone::role_name, plan.backbone.factory),
                  declared(*plan.catalog, Head::role_name, plan.head.factory));
}

std::vector<const FileLayout*> possible_layouts(const std::vector<FileLayout>& known,
                                                const std::vector<std::string>& names) {
  const auto has = [&](std::string_view form) {
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& name) { return match(form, name).has_value(); });
  };
  std::vector<const FileLayout*> possible;
  for (const auto& layout : known) {
    if (std::all_of(layout.required.begin(), layout.required.end(), has)) possible.push_back(&layout);
  }
  return possible;
}

std::vector<std::string> recognized_by(const WeightsLayout& layout, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const auto& form : layout.required) {
    const auto name = std::find_if(names.begin(), names.end(), [&](const std::string& candidate) {
      return match(form, candidate).has_value();
    });
    if (name != names.end() && std::find(found.begin(), found.end(), *name) == found.end()) {
      found.push_back(*name);
    }
  }
  return found;
}

std::optional<Translation> translated(const WeightsLayout& layout, std::string_view name,
                                      const std::set<std::string>& names) {
  std::optional<Translation> first;
  for (const auto& rule : layout.rules) {
    const auto captured = match(rule.from, name);
    if (!captured) continue;
    Translation translation{&rule, filled(rule.to, *captured)};
    if (names.empty() || names.count(translation.name) > 0) return translation;
    if (!first) first = std::move(translation);
  }
  return first;
}

bool is_dropped(const WeightsLayout& layout, std::string_view name) {
  return std::any_of(layout.dropped.begin(), layout.dropped.end(),
                     [&](const auto& form) { return match(form, name).has_value(); });
}

}  // namespace kindred::weights
