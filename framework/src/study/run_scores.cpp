#include "study/run_scores.h"

#include "pipeline/pipeline.h"
#include "results/evaluation_file.h"

namespace kindred::study {

namespace fs = std::filesystem;

std::vector<RunScores> scores_in(const fs::path& folder, const recipe::Plan& plan) {
  std::vector<RunScores> all;
  for (const auto& test : pipeline::test_rankings(plan)) {
    const auto ranking = folder / test.ranking;
    if (!fs::exists(ranking / "evaluation.json")) continue;
    auto& scores = all.emplace_back();
    scores.test_set = test.name;
    scores.scores = results::read_evaluation(ranking / "evaluation.json");
    const auto plain = ranking / "evaluation_plain.json";
    if (fs::exists(plain)) scores.by_descriptors_alone = results::read_evaluation(plain);
  }
  return all;
}

}  // namespace kindred::study
