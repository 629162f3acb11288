#include "recipe/recipe_layout.h"

#include <iterator>
#include <utility>

#include "recipe/settings.h"

namespace kindred {
namespace {

using Kind = RecipeTable::Kind;

ParameterInfo type_key(const std::string& role) {
  ParameterInfo info;
  info.name = "type";
  info.type = "text";
  info.required = true;
  info.doc = "which " + role + "; `kindred list` shows what there is";
  return info;
}

template <class Settings>
void append(std::vector<ParameterInfo>& parameters) {
  auto more = Settings::schema().parameters();
  std::move(more.begin(), more.end(), std::back_inserter(parameters));
}

RecipeTable component(const std::string& role, std::string summary) {
  return {role, Kind::component, true, std::move(summary), {type_key(role)}};
}

RecipeTable components(const std::string& role, bool required, std::string summary) {
  RecipeTable table{role, Kind::components, required, std::move(summary), {type_key(role)}};
  append<EntrySettings>(table.parameters);
  return table;
}

template <class Settings>
RecipeTable settings(std::string key) {
  RecipeTable table{std::move(key), Kind::settings, false, Settings::schema().summary(), {}};
  append<Settings>(table.parameters);
  return table;
}

}  // namespace

std::string RecipeTable::header() const {
  return kind == Kind::components ? "[[" + key + "]]" : "[" + key + "]";
}

std::vector<RecipeTable> recipe_layout() {
  auto loss = components("loss", true, "Terms of what training minimises, on named outputs of the head.");
  append<LossSettings>(loss.parameters);
  auto backbone = component("backbone", "The convolutional network that turns images into feature maps.");
  append<BackboneSettings>(backbone.parameters);
  return {
      component("dataset", "Where images come from and who is on them."),
      components("augmentation", false,
                 "What happens to an image between decoding and the tensor, in order."),
      component("sampler", "Which training images form a batch."),
      std::move(backbone),
      component("head", "What is made of the backbone's features: vectors, logits and the descriptor."),
      std::move(loss),
      component("optimizer", "How gradients change the weights."),
      component("schedule", "How the learning rate changes over a training."),
      settings<WeightsSettings>("weights"),
      settings<LoaderSettings>("loader"),
      settings<TrainSettings>("train"),
      settings<EmbedSettings>("embed"),
      settings<EvaluateSettings>("evaluate"),
      settings<MachineSettings>("machine"),
  };
}

}  // namespace kindred
