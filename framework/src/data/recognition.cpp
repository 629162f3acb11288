#include "data/recognition.h"

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/schema.h"
#include "kindred/core/value.h"
#include "recipe/guarded.h"

namespace kindred::data {
namespace {

/// A folder with more of them holds persons or days, not data sets.
constexpr std::size_t most_data_sets = 100;

/// The parameter that says where the data lie; nullptr when the data come from nowhere.
const ParameterInfo* location_of(const ComponentInfo& info) {
  const auto found =
      std::find_if(info.parameters.begin(), info.parameters.end(),
                   [](const ParameterInfo& parameter) { return parameter.meaning == Meaning::location; });
  return found == info.parameters.end() ? nullptr : &*found;
}

/// The dataset at a location, with defaults; nullptr when it wants further parameters.
std::unique_ptr<Dataset> make(const RoleFactory<Dataset>& factory, const std::string& parameter,
                              const std::filesystem::path& location) {
  Table table;
  table.set(parameter, Value(location.string()));
  Diagnostics diagnostics;
  const auto params = factory.parse(Value(std::move(table)), diagnostics, {});
  if (!diagnostics.empty()) return nullptr;
  const auto& info = factory.info();
  return recipe::guard(recipe::guarded(info.subject(), [&] { return factory.create(params.get(), {}); }),
                       info);
}

}  // namespace

Candidates recognize(const std::filesystem::path& root, const Catalog& catalog) {
  Candidates candidates;
  for (const ComponentFactory* component : catalog.components(Dataset::role_name)) {
    const ComponentInfo& info = component->info();
    const auto* location = location_of(info);
    if (location == nullptr) continue;
    auto dataset = make(*catalog.find<Dataset>(info.name), location->name, root);
    if (!dataset) continue;
    const Recognition recognition = dataset->recognize();
    if (recognition == Recognition::no || recognition < candidates.recognition) continue;
    if (recognition > candidates.recognition) candidates.surest.clear();
    candidates.recognition = recognition;
    candidates.surest.push_back({info.name, std::move(dataset)});
  }
  return candidates;
}

std::string known_layouts(const Catalog& catalog) {
  std::string known;
  for (const ComponentFactory* component : catalog.components(Dataset::role_name)) {
    const ComponentInfo& info = component->info();
    if (location_of(info) != nullptr) known += "\n  " + info.name + ": " + info.summary;
  }
  return known;
}

std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  std::error_code failure;
  std::filesystem::directory_iterator at(folder, failure);
  for (const std::filesystem::directory_iterator end; !failure && at != end; at.increment(failure)) {
    std::error_code missing;
    const bool hidden = at->path().filename().string().starts_with('.');
    if (!hidden && at->is_directory(missing)) folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<Below> data_sets_below(const std::filesystem::path& root, const Catalog& catalog) {
  std::vector<Below> found;
  const auto folders = folders_in(root);
  if (folders.size() > most_data_sets) return found;
  for (const auto& folder : folders) {
    const auto candidates = recognize(folder, catalog);
    if (candidates.recognition >= Recognition::likely) {
      found.push_back({folder, candidates.surest.front().layout});
    }
  }
  return found;
}

std::string text_of(const std::vector<Below>& found) {
  constexpr std::size_t shown = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, found.size()); ++i) {
    const bool last = i + 1 == found.size();
    text += (i == 0 ? "'"
             : last ? " and '"
                    : ", '") +
            found[i].folder.string() + "' (" + found[i].layout + ")";
  }
  if (found.size() > shown) text += " and " + std::to_string(found.size() - shown) + " more";
  return text;
}

}  // namespace kindred::data
