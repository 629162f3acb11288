// Which components, of which plugins, the use of a trained model needs: those of its training are not among
// them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/value.h"
#include "recipe/plan.h"

namespace kindred::model {

struct NeededComponent {
  std::string role;
  std::string name;
  std::string entry;    ///< of an augmentation: what its entry in the recipe is called
  std::string plugin;   ///< "" if it was not known
  std::string version;  ///< of the plugin
};

class InferenceNeeds {
 public:
  /// Backbone, head, and the augmentations that run at test time.
  explicit InferenceNeeds(const recipe::InferencePlan& plan);
  /// Reads write()'s text. Throws DataError naming `file` for another one.
  InferenceNeeds(const std::string& text, const std::filesystem::path& file);

  /// As TOML: a table [[component]] for each.
  [[nodiscard]] std::string write() const;
  [[nodiscard]] const std::vector<NeededComponent>& components() const { return components_; }

  /// Throws PluginError that lists the missing components by plugin, with what to do.
  void require(const Catalog& catalog, const std::filesystem::path& file) const;
  /// A note for each plugin whose version is another one now.
  [[nodiscard]] std::vector<std::string> other_versions(const Catalog& catalog,
                                                        const std::filesystem::path& file) const;
  /// The recipe without the augmentations that only the training needed.
  [[nodiscard]] Value without_training(Value recipe) const;
  [[nodiscard]] bool needs_augmentation(const std::string& entry) const;

 private:
  std::vector<NeededComponent> components_;
};

}  // namespace kindred::model
