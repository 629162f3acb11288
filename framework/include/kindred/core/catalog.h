// The components that have been loaded, by role and name.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/export.h"
#include "kindred/core/schema.h"
#include "kindred/nn/feature_form.h"
#include "kindred/nn/output.h"
#include "kindred/nn/weights_layout.h"

namespace kindred {

/// Describes a component without creating one.
struct KINDRED_API ComponentInfo {
  std::string role;
  std::string name;
  std::string summary;
  std::string source;  ///< the paper; "" if there is none
  std::vector<ParameterInfo> parameters;
  /// Its `default_order`: a recipe that lists no component of a role for which there are defaults uses these,
  /// the lowest first. Absent: only when it is listed.
  std::optional<int> default_order;
  std::vector<WeightsLayout> weights_layouts;  ///< of a backbone or a head
  FeatureForm takes_form = FeatureForm::map;   ///< of a head: Head::takes()
  std::vector<OutputKind> takes_outputs;       ///< of a loss: the kinds that an instance takes
  std::vector<std::string> formerly;           ///< names that it had
  std::string plugin;                          ///< the plugin's name; "" if it was added without one
  std::string plugin_version;                  ///< "1.0.0"; "" if unknown
  std::filesystem::path file;                  ///< the library that offers it

  /// "role/name"
  [[nodiscard]] std::string id() const { return role + "/" + name; }
  /// "role 'name' of plugin 'plugin'", or without the plugin if it is not known: for messages
  [[nodiscard]] std::string subject() const;
};

/// Parses the parameters of one component. RoleFactory<Role> makes instances from them.
class KINDRED_API ComponentFactory {
 public:
  virtual ~ComponentFactory();
  [[nodiscard]] const ComponentInfo& info() const { return info_; }

  /// Reads the parameters and adds every error to `diagnostics`. Pass the result to create().
  [[nodiscard]] virtual std::shared_ptr<const void> parse(const Value& table, Diagnostics& diagnostics,
                                                          const std::vector<std::string>& reserved) const = 0;
  /// Every parameter with its value, as a table.
  [[nodiscard]] virtual Value write(const void* params) const = 0;

 protected:
  ComponentFactory();

 private:
  friend class Catalog;
  ComponentInfo info_;
};

template <class Role>
class RoleFactory : public ComponentFactory {
 public:
  /// @param params what parse() of this factory returned
  [[nodiscard]] virtual typename Role::Handle create(const void* params,
                                                     const typename Role::Context& context) const = 0;
};

namespace detail {

template <class Component>
class Factory final : public RoleFactory<typename Component::Role> {
 public:
  using Role = typename Component::Role;
  using Params = typename Component::Params;

  explicit Factory(std::string subject) : subject_(std::move(subject)), schema_(Component::schema()) {}

  [[nodiscard]] const Schema<Params>& schema() const { return schema_; }

  [[nodiscard]] std::shared_ptr<const void> parse(const Value& table, Diagnostics& diagnostics,
                                                  const std::vector<std::string>& reserved) const override {
    return std::make_shared<const Params>(schema_.parse(table, subject_, diagnostics, reserved));
  }
  [[nodiscard]] Value write(const void* params) const override {
    return schema_.write(*static_cast<const Params*>(params));
  }
  [[nodiscard]] typename Role::Handle create(const void* params,
                                             const typename Role::Context& context) const override {
    return typename Role::Handle(new Component(*static_cast<const Params*>(params), context));
  }

 private:
  std::string subject_;
  Schema<Params> schema_;
};

}  // namespace detail

/// What a plugin says of a component beside its class and its name.
struct KINDRED_API ComponentOptions {
  std::vector<std::string> formerly;  ///< names that it had: whoever asks for one is told the present name
};

class KINDRED_API Catalog {
 public:
  Catalog();
  Catalog(Catalog&&) noexcept;
  Catalog& operator=(Catalog&&) noexcept;
  ~Catalog();

  /// Offers a component under a name. A component C of a role R is a class derived from R with
  ///   `struct Params`, a copyable aggregate whose member initializers are the defaults;
  ///   `static Schema<Params> schema()`;
  ///   a constructor `C(const Params&, const R::Context&)`;
  ///   and what its role asks for as static members, such as Loss::takes() or, of a role with defaults
  ///   (role/metric.h), maybe `static constexpr int default_order`.
  /// Throws std::logic_error if the name already exists in this catalog.
  template <class Component>
  void add(const std::string& name, ComponentOptions options = {}) {
    const std::string role(Component::Role::role_name);
    auto factory = std::make_unique<detail::Factory<Component>>(role + " '" + name + "'");
    ComponentInfo info;
    info.role = role;
    info.name = name;
    info.summary = factory->schema().summary();
    info.source = factory->schema().source();
    info.parameters = factory->schema().parameters();
    if constexpr (requires { Component::default_order; }) info.default_order = Component::default_order;
    if constexpr (requires { Component::weights_layouts(); }) {
      info.weights_layouts = Component::weights_layouts();
    }
    constexpr bool is_loss = Component::Role::role_name == "loss";
    static_assert(
        !is_loss || requires { Component::takes(); },
        "a loss declares `static std::vector<OutputKind> takes()`");
    if constexpr (is_loss) info.takes_outputs = Component::takes();
    if constexpr (Component::Role::role_name == "head") info.takes_form = Component::takes();
    info.formerly = std::move(options.formerly);
    insert(std::move(info), std::move(factory));
  }

  /// Returns nullptr if there is none.
  [[nodiscard]] const ComponentFactory* find(std::string_view role, std::string_view name) const;

  template <class Role>
  [[nodiscard]] const RoleFactory<Role>* find(std::string_view name) const {
    return static_cast<const RoleFactory<Role>*>(find(Role::role_name, name));
  }

  /// The component that had this name formerly; nullptr when none had.
  [[nodiscard]] const ComponentFactory* find_former(std::string_view role, std::string_view name) const;

  /// All components of a role, or of every role, ordered by role and name.
  [[nodiscard]] std::vector<const ComponentFactory*> components(std::string_view role = {}) const;

  /// Moves all components of another catalog into this one and records the plugin, its file and its version.
  /// If a component already exists, nothing is moved and PluginError names both files.
  void merge(Catalog&& other, const std::string& plugin, const std::filesystem::path& file,
             const std::string& version = "");

 private:
  void insert(ComponentInfo info, std::unique_ptr<ComponentFactory> factory);

  std::vector<std::unique_ptr<ComponentFactory>> factories_;  // ordered by role, then name
};

}  // namespace kindred
