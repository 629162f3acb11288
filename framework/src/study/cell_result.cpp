#include "study/cell_result.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "recipe/recipe.h"
#include "results/evaluation_file.h"

namespace kindred::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* file_name = "result.json";
constexpr const char* alone_key = "by_descriptors_alone";

}  // namespace

std::string deciding_recipe(const recipe::Plan& plan) {
  auto recipe = plan.resolved();
  auto& table = *recipe.as<Table>();
  for (const auto* key : {"name", "machine"}) table.erase(key);
  for (const auto* key : {"workers", "prefetch"}) table.find("loader")->as<Table>()->erase(key);
  for (const auto* key : {"evaluate_every", "best_by", "checkpoint_every", "checkpoint_minutes"})
    table.find("train")->as<Table>()->erase(key);
  return recipe::write_recipe(recipe);
}

void write_cell_result(const std::filesystem::path& folder, const CellResult& result) {
  Json json;
  json["recipe"] = result.recipe;
  json["scores"] = results::evaluation_json(result.scores);
  if (result.by_descriptors_alone) json[alone_key] = results::evaluation_json(*result.by_descriptors_alone);
  const auto text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  file::write_atomically(folder / file_name, [&](std::ostream& out) { out << text; });
}

std::optional<CellResult> read_cell_result(const std::filesystem::path& folder) {
  std::ifstream stream(folder / file_name, std::ios::binary);
  if (!stream) return std::nullopt;
  try {
    const auto json = Json::parse(stream);
    CellResult result;
    json.at("recipe").get_to(result.recipe);
    const auto file = folder / file_name;
    result.scores = results::evaluation_of(json.at("scores"), file);
    if (json.contains(alone_key)) {
      result.by_descriptors_alone = results::evaluation_of(json.at(alone_key), file);
    }
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const DataError&) {
    return std::nullopt;
  }
}

}  // namespace kindred::study
