#include <filesystem>
#include <memory>

#include "command.h"
#include "common_options.h"
#include "session.h"
#include "study/run_study.h"
#include "study/study.h"
#include "study_runs.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  StudyOptions study;
};

int study(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.study.run.recipe.plugins.folders);
  const auto folder = run_directory(options.study.run.folder, "", options.file);
  return run_all(study::read_study(options.file), study::StudyReport::variants, folder, options.study,
                 catalog, session);
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("STUDY", options->file, "The study (see configs/studies/)")->required()->type_name("FILE");
  options->study.add_to(app, "runs/NAME");
  return [options](Session& session) { return study(*options, session); };
}

}  // namespace

const Command study_command = {"study", "Compare variants of a recipe over seeds and folds", add_options};

}  // namespace kindred::launcher
