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

struct StudyOptions {
  RecipeOptions recipe;
  std::filesystem::path folder;  ///< of all runs; empty: the command's default
  bool dry_run = false;
  bool ignore_code = false;

  void add_to(CLI::App& app, const std::string& default_folder);
};

/// Carries out all runs of a study, or lists them, and returns the exit code.
int run_all(const study::Study& study, study::StudyReport report, const std::filesystem::path& folder,
            const StudyOptions& options, const Catalog& catalog, Session& session);

}  // namespace kindred::launcher
