#include "recipe/component_choice.h"

#include <algorithm>
#include <optional>
#include <set>

#include "kindred/role/dataset.h"
#include "recipe/recipe_layout.h"

namespace kindred::recipe {
namespace {

std::string or_list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += "'" + names[i] + "'";
  }
  return text;
}

/// What several stages of a pipeline read is wrong for each of them.
std::vector<Diagnostic> each_once(const std::vector<Diagnostic>& all) {
  std::vector<Diagnostic> found;
  std::set<std::string> told;
  for (const auto& one : all) {
    if (told.insert(one.str()).second) found.push_back(one);
  }
  return found;
}

const char* text_of(Affects affects) {
  switch (affects) {
    case Affects::training:
      return "the training";
    case Affects::features:
      return "the features";
    case Affects::ranking:
      return "the ranking";
    case Affects::nothing:
      break;
  }
  return "nothing";
}

/// What all of a component's parameters affect that do not affect nothing; absent where all of them count.
std::optional<Affects> affected_by(const std::string& role) {
  for (const auto& table : recipe_layout()) {
    if (table.key == role) return table.affects;
  }
  return std::nullopt;  // of a stage
}

/// What is wrong with the marks of a component's parameter: no stage would look at its value, or at what lies
/// there. "" when nothing.
std::string wrong_mark(const ParameterInfo& parameter, const std::string& role) {
  const std::string remedy = "; take the mark out of its schema";
  const auto subject = "says that its parameter '" + parameter.name + "' ";
  if (parameter.meaning == Meaning::stage) {
    return subject + "names stages, whose results only a stage itself can read" + remedy;
  }
  if (role == Dataset::role_name && parameter.name == "root" && parameter.meaning != Meaning::location) {
    return "does not mark its parameter 'root' as a place of data, so that nobody would notice other images "
           "there; add .location() to it in the schema";
  }
  const auto mark = parameter.affects.value_or(Affects::nothing);
  if (mark == Affects::nothing) return "";
  // Features are made of the data set itself, but of the model that was trained.
  if (role == Dataset::role_name && mark == Affects::features) return "";
  const auto own = affected_by(role);
  if (!own || mark == *own) return "";
  return subject + "affects " + text_of(mark) + ", where one of this role affects " + text_of(*own) +
         " or nothing" + remedy;
}

bool reads_a_place(const ComponentInfo& dataset) {
  return std::any_of(dataset.parameters.begin(), dataset.parameters.end(),
                     [](const ParameterInfo& parameter) { return parameter.meaning == Meaning::location; });
}

}  // namespace

MissingComponentError::MissingComponentError(std::vector<Diagnostic> diagnostics,
                                             std::vector<std::pair<std::string, std::string>> missing)
    : RecipeError(std::move(diagnostics)), missing_(std::move(missing)) {}

MissingComponentError::~MissingComponentError() = default;

std::vector<std::string> ComponentChooser::names_of(const std::string& role) const {
  std::vector<std::string> names;
  for (const auto* factory : catalog_.components(role)) names.push_back(factory->info().name);
  return names;
}

std::string ComponentChooser::what_there_is(const std::string& role) const {
  const auto names = names_of(role);
  return names.empty() ? "no loaded plugin offers one" : "choose " + or_list(names);
}

const std::string* ComponentChooser::type_of(const Value& table, const std::string& title,
                                             const std::string& role) {
  if (table.as<Table>() == nullptr) {
    diagnostics.error(table.location(), title + " must be a table with a 'type', not " + table.type_name() +
                                            "; " + what_there_is(role));
    return nullptr;
  }
  const auto* type = table.as<Table>()->find("type");
  if (type == nullptr) {
    diagnostics.error(table.location(), title + " needs a 'type'; " + what_there_is(role));
    return nullptr;
  }
  const auto* name = type->as<std::string>();
  if (name == nullptr) {
    diagnostics.error(type->location(), title + ": type = " + type->to_toml() + " must be text, not " +
                                            type->type_name() + "; " + what_there_is(role));
  }
  return name;
}

bool ComponentChooser::is_usable(const ComponentFactory* factory, const Value& table, const std::string& role,
                                 const std::vector<std::string>& reserved) {
  if (factory == nullptr) {
    const auto& type = *table.as<Table>()->find("type");
    const auto& name = *type.as<std::string>();
    if (const auto* now = catalog_.find_former(role, name)) {
      diagnostics.error(type.location(),
                        "unknown " + role + " '" + name + "'; it is called '" + now->info().name + "' now");
      return false;
    }
    const auto near = nearest_name(name, names_of(role));
    diagnostics.error(type.location(),
                      "unknown " + role + " '" + name + "'; " +
                          (near.empty() ? what_there_is(role) : "did you mean '" + near + "'?"));
    missing_.emplace_back(role, name);
    return false;
  }
  for (const auto& parameter : factory->info().parameters) {
    if (const auto wrong = wrong_mark(parameter, role); !wrong.empty()) {
      throw ComponentFault(factory->info().subject(), wrong);
    }
    if (std::find(reserved.begin(), reserved.end(), parameter.name) == reserved.end()) continue;
    throw ComponentFault(factory->info().subject(), "has a parameter '" + parameter.name +
                                                        "', which is a key that every " + role +
                                                        " of a recipe has; rename it in the plugin");
  }
  return true;
}

std::vector<std::string> ComponentChooser::refused_keys(const ComponentInfo& info, const Value& table) {
  if (info.role != Dataset::role_name || reads_a_place(info)) return {};
  for (const auto& entry : table.as<Table>()->entries()) {
    if (entry.key != "root") continue;
    diagnostics.error(entry.key_location,
                      info.subject() +
                          " has no parameter 'root', as it reads no files; name a dataset that "
                          "does in dataset.type; `kindred list dataset` shows all");
    return {entry.key};
  }
  return {};
}

void ComponentChooser::add(const RecipeError& error) {
  for (const auto& found : error.diagnostics()) diagnostics.error(found.location, found.message);
  if (const auto* missing = dynamic_cast<const MissingComponentError*>(&error)) {
    missing_.insert(missing_.end(), missing->missing().begin(), missing->missing().end());
  }
}

void ComponentChooser::throw_if_any() const {
  if (!missing_.empty()) throw MissingComponentError(each_once(diagnostics.all()), missing_);
  if (!diagnostics.empty()) throw RecipeError(each_once(diagnostics.all()));
}

}  // namespace kindred::recipe
