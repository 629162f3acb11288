// What the commands folds and study share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

#include "common_options.h"
#include "kindred/core/catalog.h"
#include "session.h"
#include "study/run_study.h"
#include "study/study.h"

namespace kindred::launcher {

struct StudyOptions {
  RunOptions run;  ///< of all runs together
  std::int64_t jobs = 1;
  std::string only;  ///< the folder of one run; "": all

  /// RunOptions, --jobs and --only.
  void add_to(CLI::App& app, const std::string& default_folder);
};

/// Carries out all runs of a study, or one, or lists them, and returns the exit code.
int run_all(const study::Study& study, study::StudyReport report, const std::filesystem::path& folder,
            const StudyOptions& options, const Catalog& catalog, Session& session);

}  // namespace kindred::launcher
