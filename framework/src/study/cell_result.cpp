#include "study/cell_result.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "file/atomic_file.h"
#include "recipe/recipe.h"

namespace kindred::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* file_name = "result.json";
constexpr const char* alone_key = "by_descriptors_alone";

Json json_of(const CellScores& scores) {
  return {{"mAP", scores.mean_ap},
          {"rank1", scores.rank1},
          {"mINP", scores.mean_inp},
          {"queries", scores.queries},
          {"gallery", scores.gallery}};
}

CellScores scores_of(const Json& json) {
  CellScores scores;
  json.at("mAP").get_to(scores.mean_ap);
  json.at("rank1").get_to(scores.rank1);
  json.at("mINP").get_to(scores.mean_inp);
  json.at("queries").get_to(scores.queries);
  json.at("gallery").get_to(scores.gallery);
  return scores;
}

}  // namespace

CellScores CellScores::of(const ranking::Scores& scores) {
  return {scores.mean_ap, scores.cmc.at(1), scores.mean_inp, scores.valid_queries, scores.gallery};
}

std::string deciding_recipe(const recipe::Plan& plan) {
  auto recipe = plan.resolved();
  auto& table = *recipe.as<Table>();
  for (const auto* key : {"name", "machine"}) table.erase(key);
  for (const auto* key : {"workers", "prefetch"}) table.find("loader")->as<Table>()->erase(key);
  for (const auto* key : {"evaluate_every", "checkpoint_every", "checkpoint_minutes"})
    table.find("train")->as<Table>()->erase(key);
  return recipe::write_recipe(recipe);
}

void write_cell_result(const std::filesystem::path& folder, const CellResult& result) {
  Json json;
  json["recipe"] = result.recipe;
  json["scores"] = json_of(result.scores);
  if (result.by_descriptors_alone) json[alone_key] = json_of(*result.by_descriptors_alone);
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
    result.scores = scores_of(json.at("scores"));
    if (json.contains(alone_key)) result.by_descriptors_alone = scores_of(json.at(alone_key));
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace kindred::study
