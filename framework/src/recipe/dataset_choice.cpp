#include "recipe/dataset_choice.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "recipe/settings.h"

namespace kindred::recipe {
namespace {

const std::vector<std::string> dataset_entry_keys = {"type", "name", "enabled", "share"};

/// It names folders and stages, and images that join a training are called "pseudo1/PATH".
bool is_dataset_name(const std::string& name) {
  const std::string reserved = "pseudo";
  const auto all = [](const std::string& text, const auto& fits) {
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
  };
  if (name.starts_with(reserved) &&
      all(name.substr(reserved.size()), [](unsigned char c) { return std::isdigit(c) != 0; })) {
    return false;
  }
  return all(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

/// The keys of an entry that belong to no component, for a schema that knows some of them.
Value common_keys(const Value& entry, const std::vector<std::string>& names) {
  Table result;
  for (const auto& written : entry.as<Table>()->entries()) {
    if (std::find(names.begin(), names.end(), written.key) != names.end()) {
      result.set(written.key, written.value, written.key_location);
    }
  }
  return {std::move(result), entry.location()};
}

void choose_entry(const Value& entry, ComponentChooser& chooser, std::vector<DatasetChoice>& out) {
  const std::string title = "[[dataset]]";
  if (entry.as<Table>() == nullptr) {
    chooser.diagnostics.error(entry.location(),
                              "an entry of 'dataset' must be a table, [[dataset]], not " + entry.type_name());
    return;
  }
  const auto common =
      EntrySettings::schema().parse(common_keys(entry, {"name", "enabled"}), title, chooser.diagnostics);
  if (!common.enabled) return;
  DatasetChoice choice;
  chooser.choose(entry, title, dataset_entry_keys, choice);
  choice.share =
      DatasetSettings::schema().parse(common_keys(entry, {"share"}), title, chooser.diagnostics).share;
  if (common.name) choice.name = *common.name;
  if (!choice.name.empty() && !is_dataset_name(choice.name)) {
    chooser.diagnostics.error(entry.location(), "the data set '" + choice.name +
                                                    "' cannot have this name; use letters, digits, '_' and "
                                                    "'-', and not 'pseudo' with a number");
  }
  if (!choice.name.empty() && find_dataset(out, choice.name) != nullptr) {
    chooser.diagnostics.error(entry.location(),
                              "two data sets have the name '" + choice.name + "'; give each its own 'name'");
  }
  out.push_back(std::move(choice));
}

}  // namespace

std::string DatasetChoice::id() const {
  return factory->info().id() + (prefix.empty() ? "" : " '" + name + "'");
}

Value DatasetChoice::resolved_entry() const {
  const auto& type = factory->info().name;
  auto written = resolved();
  if (prefix.empty() && name == type && !share) return written;
  Table entry;
  entry.set("type", Value(type));
  entry.set("name", Value(name));
  if (share) entry.set("share", Value(*share));
  for (const auto& parameter : written.as<Table>()->entries()) {
    if (parameter.key != "type") entry.set(parameter.key, parameter.value);
  }
  return {std::move(entry)};
}

std::vector<DatasetChoice> choose_datasets(const Value& value, const std::string& title,
                                           ComponentChooser& chooser) {
  std::vector<DatasetChoice> datasets;
  if (value.as<Table>() != nullptr) {
    chooser.choose(value, title, {"type"}, datasets.emplace_back());
    return datasets;
  }
  const auto* list = value.as<Array>();
  if (list == nullptr) {
    chooser.diagnostics.error(
        value.location(),
        "'dataset' must be a table, [dataset], or a list of tables, [[dataset]], not " + value.type_name());
    return datasets;
  }
  const auto errors = chooser.diagnostics.all().size();
  for (const auto& entry : *list) choose_entry(entry, chooser, datasets);
  if (datasets.empty() && chooser.diagnostics.all().size() == errors) {
    chooser.diagnostics.error(value.location(), "no [[dataset]] is enabled; enable one at least");
  }
  if (datasets.size() > 1) {
    for (auto& dataset : datasets) dataset.prefix = dataset.name + "/";
  }
  return datasets;
}

bool have_shares(const std::vector<DatasetChoice>& datasets) {
  const auto shared = std::count_if(datasets.begin(), datasets.end(), [](const DatasetChoice& choice) {
    return choice.share && *choice.share > 0;
  });
  return shared > 1;
}

std::vector<std::string> names_of(const std::vector<DatasetChoice>& datasets) {
  std::vector<std::string> names;
  for (const auto& dataset : datasets) names.push_back(dataset.name);
  return names;
}

const DatasetChoice* find_dataset(const std::vector<DatasetChoice>& datasets, const std::string& name) {
  const auto found = std::find_if(datasets.begin(), datasets.end(),
                                  [&](const DatasetChoice& dataset) { return dataset.name == name; });
  return found == datasets.end() ? nullptr : &*found;
}

const DatasetChoice* dataset_of(const std::vector<DatasetChoice>& datasets, const std::string& path) {
  const auto found = std::find_if(datasets.begin(), datasets.end(), [&](const DatasetChoice& dataset) {
    return path.starts_with(dataset.prefix);
  });
  return found == datasets.end() ? nullptr : &*found;
}

std::string dataset_name_in(const std::string& path) {
  const auto slash = path.find('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace kindred::recipe
