#include "pipeline/pipeline_run.h"

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <exception>
#include <iterator>
#include <optional>
#include <ostream>
#include <set>
#include <utility>

#include "file/atomic_file.h"
#include "file/folder_entries.h"
#include "file/folder_lock.h"
#include "file/presence.h"
#include "kindred/core/error.h"
#include "pipeline/file_hashes.h"
#include "pipeline/key_difference.h"
#include "pipeline/stage_clock.h"
#include "pipeline/stage_folders.h"
#include "pipeline/stage_key.h"
#include "pipeline/summary.h"
#include "progress/run_log.h"
#include "recipe/list_of_tables.h"
#include "recipe/recipe.h"
#include "results/stage_record.h"
#include "system/device.h"
#include "system/exception_text.h"
#include "system/rank_machine.h"
#include "text/text_table.h"
#include "training/extension.h"

namespace kindred::pipeline {
namespace {

namespace fs = std::filesystem;
using results::has_stage_record;
using results::read_stage_record;
using results::StageKey;
using results::StageRecord;
using results::write_stage_record;

constexpr const char* recipe_name = "pipeline.toml";
constexpr const char* restored_reason = "an earlier result is restored";

std::string utc_now() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

bool works(StageState::Kind kind) {
  return kind == StageState::Kind::runs || kind == StageState::Kind::goes_on;
}

class PipelineRun {
 public:
  PipelineRun(const Pipeline& pipeline, const Catalog& catalog, fs::path folder,
              const PipelineOptions& options)
      : pipeline_(pipeline),
        catalog_(catalog),
        folder_(std::move(folder)),
        folders_(folder_),
        options_(options),
        own_hashes_(folder_ / file_hashes_name),
        hashes_(options.hashes == nullptr ? own_hashes_ : *options.hashes) {
    require_stage(options.from, "--from");
    require_stage(options.only, "--only");
    if (!options.from.empty()) {
      const auto anew = pipeline.dependents(options.from);
      anew_.insert(anew.begin(), anew.end());
      if (!options.only.empty() && anew_.count(options.only) == 0) {
        throw RecipeError({"--from " + options.from, 0, 0},
                          "has no effect: '" + options.only +
                              "' is the only stage that runs here, and it does not depend on '" +
                              options.from + "'; use `kindred run` for all stages, or --from " +
                              options.only);
      }
    }
  }

  /// To be called for one stage after the other: each depends on what those in front of it are about to do.
  StageState state_of(const stage::Stage& stage) {
    if (!options_.only.empty() && stage.name != options_.only) return {StageState::Kind::left_out, ""};
    const auto record = read_stage_record(folder_of(stage.name));
    if (anew_.count(stage.name) > 0) return {StageState::Kind::runs, "--from " + options_.from};
    for (const auto& input : stage.inputs) {
      for (const auto& name : input.names) {
        if (pending_.count(name) > 0) return {StageState::Kind::runs, "it reads '" + name + "', which runs"};
        require_result(stage, name);
      }
    }
    const auto key = key_now(stage);
    auto state = compared(stage, record, key, folder_of(stage.name));
    if (state.kind == StageState::Kind::runs) {
      const auto replaced = read_stage_record(folders_.replaced(stage.name));
      const auto earlier = compared(stage, replaced, key, folders_.replaced(stage.name));
      if (earlier.kind != StageState::Kind::runs) {
        state = {earlier.kind, restored_reason};
      } else {
        refuse_to_train_over(stage, record, key);
      }
    }
    return state;
  }

  std::vector<PlannedStage> plan() {
    refuse_folder_of_another_run();
    std::vector<PlannedStage> planned;
    for (const auto& stage : pipeline_.stages) {
      planned.push_back({stage->name, stage->type(), state_of(*stage)});
      const auto kind = planned.back().state.kind;
      if (kind != StageState::Kind::left_out) folders_.require_own(stage->name);
      if (works(kind)) pending_.insert(stage->name);
      if (kind == StageState::Kind::up_to_date && planned.back().state.reason == restored_reason) {
        to_restore_.insert(stage->name);
      }
    }
    pending_.clear();
    to_restore_.clear();
    return planned;
  }

  /// The same, and throws everything that is refused before the first stage begins.
  std::vector<PlannedStage> checked_plan() {
    file::require_lockable(folder_);
    const auto device = system::resolve_device(pipeline_.machine.device);
    check_stages(pipeline_, options_.only);
    auto planned = plan();
    for (std::size_t i = 0; i < planned.size(); ++i) {
      if (works(planned[i].state.kind)) pipeline_.stages[i]->check_on(device);
    }
    return planned;
  }

  /// To be called after checked_plan(): nothing that describes a result is changed by a command that is
  /// refused.
  PipelineOutcome run(progress::ProgressSink& progress, const std::atomic<bool>& stop) {
    const auto device = system::resolve_device(pipeline_.machine.device);
    begin_description();
    std::vector<StageRecord> records;
    for (const auto& stage : pipeline_.stages) {
      const auto state = state_of(*stage);
      if (state.kind == StageState::Kind::left_out) {
        if (auto record = read_stage_record(folder_of(stage->name)); record && record->finished) {
          if (is_still_described(*stage, *record, progress)) as_described_.insert(stage->name);
          records.push_back(std::move(*record));
        }
        continue;
      }
      if (state.kind == StageState::Kind::up_to_date) {
        take_back(*stage);
        as_described_.insert(stage->name);
        StageFolders::remove_leftovers(folder_of(stage->name));
        progress.note("stage '" + stage->name + "' is up to date" +
                      (state.reason.empty() ? "" : ": " + state.reason));
        records.push_back(*read_stage_record(folder_of(stage->name)));
      } else {
        progress.note("stage '" + stage->name + "' (" + stage->type() + ") " +
                      (state.kind == StageState::Kind::goes_on ? "continues" : "runs: " + state.reason));
        auto record = run_stage(*stage, device, progress, stop);
        if (!record) return {true, ""};
        records.push_back(std::move(*record));
      }
      hashes_.save();
      if (stop) return {true, ""};
    }
    const auto outdated = outdated_stages(records);
    if (!outdated.empty()) {
      warn_of_call(progress, "made of earlier results than there are now, and so left out of the scores: " +
                                 quoted_list(outdated) + "; `kindred run` without --only makes them again");
    }
    return {false, summary(records, outdated)};
  }

 private:
  /// FOLDER/pipeline.toml: this pipeline, in which a stage whose result is there stays as it was when that
  /// was made.
  void begin_description() {
    description_ = pipeline_.recipe;
    for (const auto& before : stages_of_folder()) {
      auto* entry = stage_in(description_, recipe::entry_name(before));
      if (entry != nullptr && has_stage_record(folders_.of(recipe::entry_name(before)))) *entry = before;
    }
    write_description();
  }

  /// Once a stage has begun anew, or ahead of an earlier result that comes back: whoever is killed between
  /// the two finds that still to be done. What it reads is described anew with it: its result may depend on
  /// keys there that have no effect on theirs, such as [embed] in the recipe of a model.
  void describe(const stage::Stage& stage) {
    auto recipe = pipeline_.recipe;
    std::vector<std::string> names{stage.name};
    for (const auto& input : stage.inputs) {
      std::copy_if(input.names.begin(), input.names.end(), std::back_inserter(names),
                   [&](const std::string& name) { return as_described_.count(name) > 0; });
    }
    for (const auto& name : names) *stage_in(description_, name) = *stage_in(recipe, name);
    write_description();
  }

  void write_description() const {
    const auto text = recipe::write_recipe(description_);
    file::write_atomically(folder_ / recipe_name, [&](std::ostream& out) { out << text; });
  }

  /// nullptr when there is no such stage.
  static Value* stage_in(Value& recipe, const std::string& name) {
    for (auto& stage : *recipe.as<Table>()->find("stage")->as<Array>()) {
      if (recipe::entry_name(stage) == name) return &stage;
    }
    return nullptr;
  }

  /// What the folder's recipe says of the stages that ran in it; none where somebody has damaged it.
  [[nodiscard]] Array stages_of_folder() const {
    const auto file = folder_ / recipe_name;
    if (!fs::exists(file)) return {};
    try {
      const auto recipe = recipe::load_recipe(file, {});
      const auto* stages = recipe.as<Table>()->find("stage");
      const auto* list = stages == nullptr ? nullptr : stages->as<Array>();
      return list == nullptr ? Array{} : *list;
    } catch (const RecipeError&) {
      return {};
    }
  }

  /// Two runs in one folder would replace each other's records, and be reported as one. A pipeline that has
  /// changed still has some stage of before.
  void refuse_folder_of_another_run() const {
    std::vector<std::string> others;
    for (const auto& stage : stages_of_folder()) {
      const auto name = recipe::entry_name(stage);
      if (pipeline_.find(name) != nullptr) return;
      if (has_stage_record(folders_.of(name)) || has_stage_record(folders_.replaced(name)))
        others.push_back(name);
    }
    if (others.empty()) return;
    throw DataError(folder_, std::string("is the folder of another run, with the stage") +
                                 (others.size() == 1 ? " " : "s ") + quoted_list(others) +
                                 "; use another --run-dir, or remove the folder");
  }

  /// Of what comes of `only`, and ends with it. A report takes what begins with "warning:" in the log for one
  /// of the run, for ever.
  void warn_of_call(progress::ProgressSink& progress, const std::string& text) const {
    progress.note("'" + options_.only + "' alone: warning: " + text);
  }

  /// Whether a stage that --only leaves as it is, and that the one that runs reads, directly or not, was made
  /// as the recipe says. Warns where it was not.
  [[nodiscard]] bool is_still_described(const stage::Stage& stage, const StageRecord& record,
                                        progress::ProgressSink& progress) const {
    const auto readers = pipeline_.dependents(stage.name);
    if (std::find(readers.begin(), readers.end(), options_.only) == readers.end()) return false;
    auto now = record.key;
    now.reads.clear();
    for (const auto& input : stage.inputs) now.reads[input.key] = input.names;
    try {
      now.settings = recipe::write_recipe(stage.settings());
    } catch (const Error&) {
      return false;  // a file that it once started from may be gone, and nobody needs it here
    }
    if (key_difference(record.key, now, /*ignore_code=*/true).empty()) return true;
    warn_of_call(progress, "stage '" + stage.name + "' stays as it is, though the recipe says otherwise:" +
                               key_differences(record.key, now));
    return false;
  }

  /// Of stages that --only has left as they are, those that were made of other results than there are now,
  /// directly or not.
  [[nodiscard]] std::vector<std::string> outdated_stages(const std::vector<StageRecord>& records) const {
    if (options_.only.empty()) return {};
    return results::outdated_stages(records, [&](const StageRecord& record) {
      std::vector<std::string> names;
      const auto* stage = pipeline_.find(record.name);
      if (stage == nullptr || stage->name == options_.only) return names;
      for (const auto& input : stage->inputs) {
        names.insert(names.end(), input.names.begin(), input.names.end());
      }
      return names;
    });
  }

  [[nodiscard]] fs::path folder_of(const std::string& stage) const {
    return to_restore_.count(stage) > 0 ? folders_.replaced(stage) : folders_.of(stage);
  }
  void require_stage(const std::string& name, const std::string& option) const {
    if (name.empty() || pipeline_.find(name) != nullptr) return;
    std::vector<std::string> names;
    for (const auto& stage : pipeline_.stages) names.push_back(stage->name);
    const auto near = nearest_name(name, names);
    throw RecipeError({option + " " + name, 0, 0},
                      "there is no such stage; " +
                          (near.empty() ? "choose " + quoted_list(names) : "did you mean '" + near + "'?"));
  }

  void require_result(const stage::Stage& stage, const std::string& input) const {
    const auto record = read_stage_record(folder_of(input));
    if (record && record->finished) return;
    throw DataError(folder_of(input), "stage '" + stage.name + "' reads the result of stage '" + input +
                                          "', which is not finished; run that stage first, or omit --only");
  }

  StageKey key_now(const stage::Stage& stage) {
    return key_of(
        stage, pipeline_, [this](const std::string& name) { return folder_of(name); }, hashes_);
  }

  /// What another build has trained is not trained anew where trainings are kept.
  [[nodiscard]] bool ignores_code(const stage::Stage& stage) const {
    return options_.ignore_code || (pipeline_.keep_training && stage.model_plan() != nullptr);
  }

  void refuse_to_train_over(const stage::Stage& stage, const std::optional<StageRecord>& record,
                            const StageKey& key) const {
    const auto folder = folder_of(stage.name);
    if (!pipeline_.keep_training || !record || !stage.is_worth_keeping(folder)) return;
    if (key_difference(record->key, key, /*ignore_code=*/true).empty()) return;
    const auto extension = extension_of(stage, *record, key, folder);
    throw KeptTrainingError(
        folder, "holds a training that is kept, but this is another one:" +
                    key_differences(record->key, key) + (extension ? "\n" + extension->refusal : "") +
                    "\nUse another --run-dir, revert the changes, or train again with --from " + stage.name);
  }

  /// Whether what was begun with other settings is a beginning of what the stage makes now.
  [[nodiscard]] std::optional<training::Extension> extension_of(const stage::Stage& stage,
                                                                const StageRecord& record,
                                                                const StageKey& key,
                                                                const fs::path& folder) const {
    if (!differ_in_settings_alone(record.key, key, ignores_code(stage))) return std::nullopt;
    return stage.extension(recipe::parse_recipe(record.key.settings, "then", {}), folder);
  }

  StageState compared(const stage::Stage& stage, const std::optional<StageRecord>& record,
                      const StageKey& key, const fs::path& folder) {
    using Kind = StageState::Kind;
    if (!record) return {Kind::runs, "it has not run yet"};
    if (auto reason = key_difference(record->key, key, ignores_code(stage)); !reason.empty()) {
      const auto extension = extension_of(stage, *record, key, folder);
      if (extension && extension->refusal.empty()) return {Kind::goes_on, extension->note};
      return {Kind::runs, std::move(reason)};
    }
    if (!record->finished) return {Kind::goes_on, ""};
    for (const auto& [file, hash] : record->results) {
      if (!file::is_there(folder / file)) return {Kind::runs, "its result " + file + " is missing"};
      if (hashes_.of(folder / file) != hash) return {Kind::runs, "its result " + file + " has changed"};
    }
    return {Kind::up_to_date, ""};
  }

  /// Where a stage's folder is not what is wanted and what it has replaced is, they change places.
  void take_back(const stage::Stage& stage) {
    const auto key = key_now(stage);
    const auto fits = [&](const fs::path& folder) {
      return compared(stage, read_stage_record(folder), key, folder).kind != StageState::Kind::runs;
    };
    if (fits(folder_of(stage.name)) || !fits(folders_.replaced(stage.name))) return;
    describe(stage);
    folders_.exchange(stage.name);
  }

  std::optional<StageRecord> run_stage(const stage::Stage& stage, torch::Device device,
                                       progress::ProgressSink& progress, const std::atomic<bool>& stop) {
    const auto folder = folder_of(stage.name);
    StageRecord record;
    record.key = key_now(stage);
    const bool anew = anew_.erase(stage.name) > 0;
    if (!anew) take_back(stage);
    const auto before = read_stage_record(folder);
    const bool goes_on =
        !anew && compared(stage, before, record.key, folder).kind == StageState::Kind::goes_on;
    if (goes_on) {
      file::remove_unfinished_files(folder);
      record.cost = before->cost;
    } else {
      folders_.begin_anew(stage.name);
    }
    record.name = stage.name;
    write_stage_record(folder, record);
    describe(stage);

    StageClock clock(folder, record, progress);
    stage::StageResult result;
    try {
      const auto& place = options_.ranks->place();
      if (stage.is_shared()) {
        options_.ranks->post(stage.name);
        system::set_threads(system::threads_of_rank(pipeline_.machine.threads, place));
      }
      result =
          stage.run({catalog_, folder, [this](const std::string& name) { return folder_of(name); },
                     stage.is_shared() ? system::device_of_rank(pipeline_.machine.device, place) : device,
                     clock, stop, *options_.ranks});
      if (stage.is_shared()) system::set_threads(pipeline_.machine.threads);
    } catch (...) {
      clock.stop();
      const bool first = stage.name == pipeline_.stages.front()->name;
      progress.note("stage '" + stage.name + "' failed; " + (first ? "" : "earlier stages are kept, and ") +
                    "once the cause is gone, the same command continues with this stage");
      throw;
    }
    clock.stop();
    if (result.interrupted) {
      write_stage_record(folder, record);
      return std::nullopt;
    }
    record.cost.images = result.images;
    for (const auto& file : stage.results(folder)) record.results[file] = hashes_.of(folder / file);
    record.finished = true;
    record.ended = utc_now();
    write_stage_record(folder, record);
    folders_.forget_replaced(stage.name);
    return record;
  }

  /// @param outdated stages that have no say in the scores, and whose results are not shown
  [[nodiscard]] std::string summary(const std::vector<StageRecord>& records,
                                    const std::vector<std::string>& outdated) const {
    auto text = write_costs(folder_, records);
    auto present = records;
    std::erase_if(present, [&](const StageRecord& record) {
      return std::find(outdated.begin(), outdated.end(), record.name) != outdated.end();
    });
    const auto scores = write_pipeline_scores(folder_, present);
    const bool ranked = std::any_of(present.begin(), present.end(),
                                    [](const StageRecord& record) { return record.key.type == "rank"; });
    if (!scores.empty()) {
      text += "\n" + scores;
    } else if (ranked) {
      text += "\nno scores: the queries are unlabeled\n";
    }
    text::TextTable results;
    results.widths = {20};
    // What no other stage reads is what the pipeline is for.
    for (const auto& record : present) {
      if (pipeline_.dependents(record.name).size() > 1) continue;
      const auto folder = folder_of(record.name);
      results.rows.push_back(
          {record.name,
           (record.results.size() == 1 ? folder / record.results.begin()->first : folder).string()});
    }
    results.rows.push_back({"other stages", (folder_ / "STAGE").string()});
    results.rows.push_back({"costs, scores, log", folder_.string()});
    return text + "\n" + results.str();
  }

  const Pipeline& pipeline_;
  const Catalog& catalog_;
  fs::path folder_;
  StageFolders folders_;
  PipelineOptions options_;
  FileHashes own_hashes_;
  FileHashes& hashes_;
  Value description_;           ///< what FOLDER/pipeline.toml says
  std::set<std::string> anew_;  ///< stages that --from makes run
  /// While running: stages whose result was there and is what the recipe describes.
  std::set<std::string> as_described_;
  std::set<std::string> pending_;     ///< while planning: stages that would run
  std::set<std::string> to_restore_;  ///< while planning: those whose earlier result would be taken back
};

/// The ranks that follow, which wait for stages until the pipeline ends in whatever way.
class Followers {
 public:
  explicit Followers(const system::Ranks& ranks) : ranks_(ranks) {}
  ~Followers() { ranks_.dismiss(); }
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;

 private:
  const system::Ranks& ranks_;
};

/// What moving and removing folders throws, as an error with place and reason.
template <class Action>
auto with_data_errors(const Action& action) {
  try {
    return action();
  } catch (const fs::filesystem_error& error) {
    throw DataError(error.path1(), "cannot be used: " + error.code().message());
  }
}

}  // namespace

std::vector<PlannedStage> plan_pipeline(const Pipeline& pipeline, const Catalog& catalog,
                                        const fs::path& folder, const PipelineOptions& options) {
  return with_data_errors([&] { return PipelineRun(pipeline, catalog, folder, options).checked_plan(); });
}

std::vector<PlannedStage> state_of_pipeline(const Pipeline& pipeline, const Catalog& catalog,
                                            const fs::path& folder, const PipelineOptions& options) {
  return with_data_errors([&] { return PipelineRun(pipeline, catalog, folder, options).plan(); });
}

std::string plan_text(const std::vector<PlannedStage>& stages) {
  text::TextTable table;
  table.heads = {"STAGE", "TYPE", "WHAT HAPPENS"};
  table.widths = {30, 12};
  for (const auto& stage : stages) {
    std::string what;
    switch (stage.state.kind) {
      case StageState::Kind::up_to_date:
        what = "nothing, it is up to date";
        break;
      case StageState::Kind::goes_on:
        what = stage.state.reason.empty() ? "continues where it was stopped" : "continues";
        break;
      case StageState::Kind::runs:
        what = "runs";
        break;
      case StageState::Kind::left_out:
        what = "nothing, it is not selected";
        break;
    }
    if (!stage.state.reason.empty()) what += ": " + stage.state.reason;
    table.rows.push_back({stage.name, stage.type, what});
  }
  return table.str();
}

PipelineOutcome run_pipeline(const Pipeline& pipeline, const Catalog& catalog, const fs::path& folder,
                             const PipelineOptions& options, progress::ProgressSink& progress,
                             const std::atomic<bool>& stop) {
  const Followers followers(*options.ranks);
  return with_data_errors([&] {
    PipelineRun run(pipeline, catalog, folder, options);
    // A command that is refused leaves no folder behind, and an empty one empty.
    const bool is_new = file::folder_entries(folder).empty();
    if (is_new) static_cast<void>(run.checked_plan());
    const file::FolderLock lock(folder);
    progress::RunLog log(folder / "log.txt");
    progress::TeeProgress tee({&log, &progress});
    try {
      // Another process may have run there meanwhile.
      if (!is_new || fs::exists(folder / recipe_name)) static_cast<void>(run.checked_plan());
      return run.run(tee, stop);
    } catch (const std::exception& error) {
      log.note(system::exception_text(error));
      throw;
    }
  });
}

void write_summary(const Pipeline& pipeline, const fs::path& folder) {
  std::vector<StageRecord> records;
  for (const auto& stage : pipeline.stages) {
    auto record = read_stage_record(folder / stage->name);
    if (record && record->finished) records.push_back(std::move(*record));
  }
  static_cast<void>(write_costs(folder, records));
  static_cast<void>(write_pipeline_scores(folder, records));
}

}  // namespace kindred::pipeline
