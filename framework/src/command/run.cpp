#include "command/run.h"

#include <chrono>
#include <utility>
#include <vector>

#include "model/artefact.h"
#include "progress/text_table.h"
#include "stage/embed.h"
#include "stage/evaluate.h"
#include "stage/match.h"
#include "stage/train.h"
#include "system/device.h"

namespace kindred {
namespace {

using Clock = std::chrono::steady_clock;

/// Images listed for each query.
constexpr std::int64_t ranking_length = 20;

/// How long each step took.
class StepTimes {
 public:
  void add(std::string step) {
    const auto now = Clock::now();
    steps_.emplace_back(std::move(step), std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }
  [[nodiscard]] std::string text() const {
    std::string line;
    for (const auto& [step, seconds] : steps_) {
      line += (line.empty() ? "" : ", ") + step + " " + duration_text(seconds);
    }
    return line;
  }

 private:
  Clock::time_point last_ = Clock::now();
  std::vector<std::pair<std::string, double>> steps_;
};

}  // namespace

RunOutcome run(const Plan& plan, const Catalog& catalog, const std::filesystem::path& folder,
               ProgressSink& progress, const std::atomic<bool>& stop) {
  RunOutcome outcome;
  StepTimes times;
  const auto trained = train(plan, folder, progress, stop);
  outcome.interrupted = trained.interrupted;
  if (outcome.interrupted) return outcome;
  times.add("training");

  const auto artefact = read_artefact(trained.model, catalog, {});
  const auto dataset = plan.dataset.create({});
  const auto features = folder / "features";
  static_cast<void>(embed_dataset(*artefact.model, plan, *dataset, features,
                                  resolve_device(plan.machine.device), progress));
  times.add("embedding");
  outcome.scores =
      evaluate_features(features / "query.npy", features / "gallery.npy", plan.evaluate, progress);
  write_scores(folder, outcome.scores);
  times.add("evaluation");
  const auto match = match_features(features / "query.npy", features / "gallery.npy", ranking_length,
                                    folder / "rankings", progress);
  times.add("ranking");

  TextTable results;
  results.widths = {20};
  results.rows = {{"model", trained.model.string()},
                  {"descriptors", features.string()},
                  {"scores", (folder / "evaluation.json").string()},
                  {"rankings", match.csv.string()},
                  {"all of the run", folder.string()}};
  outcome.text = scores_text(outcome.scores) + times.text() + "\n" + results.str();
  return outcome;
}

}  // namespace kindred
