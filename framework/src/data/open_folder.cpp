#include "data/open_folder.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "recipe/guarded.h"

namespace kindred::data {
namespace {

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

/// What may not be read has no layout that could be told.
void require_readable(const std::filesystem::path& root) {
  std::error_code failure;
  const auto status = std::filesystem::status(root, failure);
  if (status.type() == std::filesystem::file_type::not_found) throw DataError(root, "does not exist");
  if (!failure && std::filesystem::is_directory(status)) {
    static_cast<void>(std::filesystem::directory_iterator(root, failure));
  } else if (!failure && std::filesystem::is_regular_file(status)) {
    errno = 0;
    if (!std::ifstream(root)) failure.assign(errno, std::generic_category());
  }
  if (failure) throw DataError(root, "cannot be read: " + failure.message());
}

}  // namespace

OpenedFolder open_folder(const std::filesystem::path& root, const Catalog& catalog) {
  require_readable(root);

  std::string known;
  std::vector<std::string> surest;
  Recognition best = Recognition::no;
  OpenedFolder opened;
  for (const ComponentFactory* component : catalog.components(Dataset::role_name)) {
    const ComponentInfo& info = component->info();
    const auto* location = location_of(info);
    if (location == nullptr) continue;
    auto dataset = make(*catalog.find<Dataset>(info.name), location->name, root);
    if (!dataset) continue;
    known += "\n  " + info.name + ": " + info.summary;
    const Recognition recognition = dataset->recognize();
    if (recognition == Recognition::no || recognition < best) continue;
    if (recognition > best) surest.clear();
    best = recognition;
    surest.push_back(info.name);
    opened = {info.name, std::move(dataset)};
  }
  if (surest.size() == 1) return opened;
  if (surest.empty()) {
    throw DataError(root, known.empty()
                              ? "no plugin offers a dataset; give the folder of the plugins with --plugin-dir"
                              : "has no known layout. Known layouts:" + known +
                                    "\nGive the folder that contains the folders of the layout, or list the "
                                    "images in a manifest.csv.");
  }
  throw DataError(root, "could have any of the layouts " + quoted_list(surest) +
                            "; choose one in a recipe: [dataset] with type = \"" + surest.front() +
                            "\" and root = \"" + root.string() + "\"");
}

}  // namespace kindred::data
