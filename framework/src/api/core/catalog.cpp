#include "kindred/core/catalog.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "kindred/core/utf8.h"

namespace kindred {
namespace {

auto key_of(const std::unique_ptr<ComponentFactory>& factory) {
  return std::tuple<std::string_view, std::string_view>(factory->info().role, factory->info().name);
}

/// Of a component or a parameter: recipes write it as a key or after `type =`, overrides between dots.
bool is_word(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), fits);
}

/// Whether a text can stand in a list or a table of the terminal and of the reference.
bool is_line(const std::string& text) {
  return is_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

void require_described(const ComponentInfo& info) {
  const std::string word = "; a name has letters of ASCII, digits, '_' and '-', and does not begin with '-'";
  if (!is_word(info.name)) {
    throw std::logic_error("a " + info.role + " has the name '" + escaped(info.name) + "'" + word);
  }
  const auto refuse = [&](const std::string& what) {
    throw std::logic_error("component '" + info.id() + "' " + what);
  };
  if (info.summary.empty()) refuse("has no summary; give its schema one, a line that says what it does");
  if (!is_line(info.summary) || !is_line(info.source)) {
    refuse("has a summary or a source that is not one line in UTF-8");
  }
  for (const auto& parameter : info.parameters) {
    if (!is_word(parameter.name)) refuse("has a parameter '" + escaped(parameter.name) + "'" + word);
    if (parameter.doc.empty()) {
      refuse("does not say what its parameter '" + parameter.name + "' means; document it in the schema");
    }
    if (!is_line(parameter.doc)) {
      refuse("documents its parameter '" + parameter.name + "' by what is not one line in UTF-8");
    }
  }
}

}  // namespace

std::string ComponentInfo::subject() const {
  return role + " '" + name + "'" + (plugin.empty() ? "" : " of plugin '" + plugin + "'");
}

ComponentFactory::ComponentFactory() = default;
ComponentFactory::~ComponentFactory() = default;

Catalog::Catalog() = default;
Catalog::Catalog(Catalog&&) noexcept = default;
Catalog& Catalog::operator=(Catalog&&) noexcept = default;
Catalog::~Catalog() = default;

const ComponentFactory* Catalog::find(std::string_view role, std::string_view name) const {
  const auto at =
      std::lower_bound(factories_.begin(), factories_.end(), std::tuple(role, name),
                       [](const auto& factory, const auto& key) { return key_of(factory) < key; });
  if (at == factories_.end() || key_of(*at) != std::tuple(role, name)) return nullptr;
  return at->get();
}

const ComponentFactory* Catalog::find_former(std::string_view role, std::string_view name) const {
  for (const auto* factory : components(role)) {
    const auto& former = factory->info().formerly;
    if (std::find(former.begin(), former.end(), name) != former.end()) return factory;
  }
  return nullptr;
}

std::vector<const ComponentFactory*> Catalog::components(std::string_view role) const {
  std::vector<const ComponentFactory*> result;
  for (const auto& factory : factories_) {
    if (role.empty() || factory->info().role == role) result.push_back(factory.get());
  }
  return result;
}

void Catalog::insert(ComponentInfo info, std::unique_ptr<ComponentFactory> factory) {
  if (find(info.role, info.name) != nullptr) {
    throw std::logic_error("component '" + info.id() + "' is declared twice");
  }
  require_described(info);
  factory->info_ = std::move(info);
  const auto at = std::lower_bound(factories_.begin(), factories_.end(), factory,
                                   [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  factories_.insert(at, std::move(factory));
}

void Catalog::merge(Catalog&& other, const std::string& plugin, const std::filesystem::path& file,
                    const std::string& version) {
  for (const auto& factory : other.factories_) {
    const auto* first = find(factory->info().role, factory->info().name);
    if (first == nullptr) continue;
    throw PluginError(file, "plugin '" + plugin + "' offers '" + factory->info().id() + "', which plugin '" +
                                first->info().plugin + "' (" + first->info().file.string() +
                                ") already offers; remove one of the two files, or rename the component");
  }
  for (auto& factory : other.factories_) {
    auto info = factory->info();
    info.plugin = plugin;
    info.plugin_version = version;
    info.file = file;
    insert(std::move(info), std::move(factory));
  }
  other.factories_.clear();
}

}  // namespace kindred
