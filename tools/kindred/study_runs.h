// What the commands folds and study share.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "common_options.h"
#include "kindred/core/catalog.h"
#include "session.h"
#include "study/run_study.h"
#include "study/study.h"

namespace kindred::launcher {

/// RunOptions, of all runs together.
void add_study_options(CLI::App& app, RunOptions& options, const std::string& default_folder);

/// Carries out all runs of a study, or lists them, and returns the exit code.
int run_all(const study::Study& study, study::StudyReport report, const std::filesystem::path& folder,
            const RunOptions& options, const Catalog& catalog, Session& session);

}  // namespace kindred::launcher
