#include "recipe/idle_settings.h"

#include <cstdint>

#include "kindred/core/catalog.h"
#include "kindred/core/value.h"

namespace kindred::recipe {
namespace {

bool equals(const Value& value, double number) {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole) == number;
  const auto* given = value.as<double>();
  return given != nullptr && *given == number;
}

template <class Role>
void add_warnings(const Choice<Role>& choice, std::vector<std::string>& warnings) {
  const auto written = choice.factory->write(choice.params.get());
  for (const auto& parameter : choice.factory->info().parameters) {
    if (!parameter.idle_at) continue;
    const auto* value = written.template as<Table>()->find(parameter.name);
    if (value == nullptr || !equals(*value, *parameter.idle_at)) continue;
    const auto place = choice.location.str();
    warnings.push_back((place.empty() ? "" : place + ": ") + "warning: " + choice.subject() + ": with " +
                       parameter.name + " = " + value->to_toml() +
                       " it does nothing; choose another value, or remove it by enabled = false");
  }
}

}  // namespace

std::vector<std::string> idle_augmentations(const ExtractionPlan& plan) {
  std::vector<std::string> warnings;
  for (const auto& choice : plan.augmentations) add_warnings(choice, warnings);
  return warnings;
}

std::vector<std::string> idle_post_processors(const RankingPlan& plan) {
  std::vector<std::string> warnings;
  for (const auto& choice : plan.post_processors) add_warnings(choice, warnings);
  return warnings;
}

}  // namespace kindred::recipe
