#include "command/match.h"

#include "command/machine.h"
#include "ranking/post_processing.h"
#include "system/rank_machine.h"

namespace kindred::command {

stage::MatchOutcome match(const std::filesystem::path& query, const std::filesystem::path& gallery,
                          const recipe::RankingPlan& plan, const std::filesystem::path& folder,
                          const std::filesystem::path& distances, progress::ProgressSink& progress,
                          const system::Ranks& ranks) {
  prepare_machine(plan.machine, progress, ranks.place());
  const auto device = system::device_of_rank(plan.machine.device, ranks.place());
  const auto top = plan.ranking.top;
  // Without the distances the gallery may be larger than memory.
  if (distances.empty()) {
    return stage::match_features(query, gallery, plan, top, folder, device, progress, ranks);
  }
  auto input = ranking::read_search_input(query, gallery, progress, ranks);
  const auto all = ranking::post_process(plan, input, device, progress, ranks);
  const auto outcome = stage::match_distances(input, all, top, folder, progress, ranks);
  stage::write_distances(distances, input, all, progress, ranks);
  return outcome;
}

}  // namespace kindred::command
