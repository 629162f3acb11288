#include "pipeline/summary.h"

#include <optional>
#include <system_error>
#include <utility>

#include "file/presence.h"
#include "file/read_error.h"
#include "kindred/core/error.h"
#include "results/costs_file.h"
#include "results/evaluation_file.h"
#include "results/scores_file.h"

namespace kindred::pipeline {
namespace {

std::optional<results::Evaluation> read_scores(const std::filesystem::path& file) {
  if (!file::is_there(file)) return std::nullopt;
  try {
    return results::read_evaluation(file);
  } catch (const file::ReadError&) {
    throw;
  } catch (const DataError&) {
    return std::nullopt;
  }
}

}  // namespace

std::string write_costs(const std::filesystem::path& folder,
                        const std::vector<results::StageRecord>& records) {
  results::CostsFile costs;
  for (const auto& record : records) costs.stages.push_back({record.name, record.key.type, record.cost});
  costs.write(folder / results::CostsFile::name);
  return costs.table().str();
}

std::string write_pipeline_scores(const std::filesystem::path& folder,
                                  const std::vector<results::StageRecord>& records) {
  results::ScoresFile all;
  for (const auto& record : records) {
    if (record.key.type != "rank") continue;
    auto scores = read_scores(folder / record.name / "evaluation.json");
    auto plain = read_scores(folder / record.name / "evaluation_plain.json");
    const auto* ranked_by = plain ? "post-processed" : "descriptors";
    if (plain) all.rankings.push_back({record.name, "descriptors", std::move(*plain)});
    if (scores) all.rankings.push_back({record.name, ranked_by, std::move(*scores)});
  }
  const auto file = folder / results::ScoresFile::name;
  if (all.rankings.empty()) {
    std::error_code ignored;
    for (const auto* ending : {".json", ".md"}) {
      std::filesystem::remove(std::filesystem::path(file).replace_extension(ending), ignored);
    }
    return "";
  }
  all.write(file);
  return all.table().str();
}

}  // namespace kindred::pipeline
