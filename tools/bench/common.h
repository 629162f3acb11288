// What the benchmarks share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "plugin/plugin_loader.h"
#include "progress/progress.h"

namespace kindred::bench {

/// The benchmark that the command line asks for, as a function that returns the exit code.
using Chosen = std::function<int()>;

/// Each adds the subcommand of one benchmark, which sets `chosen` when it is parsed.
void add_rerank(CLI::App& app, Chosen& chosen);
void add_evaluate(CLI::App& app, Chosen& chosen);
void add_embed(CLI::App& app, Chosen& chosen);
void add_train(CLI::App& app, Chosen& chosen);
void add_load(CLI::App& app, Chosen& chosen);
void add_search(CLI::App& app, Chosen& chosen);

/// The command line of kindred-bench. Errors go to stderr with exit code 1, wrong options as CLI11 has it.
[[nodiscard]] int bench_main(int argc, const char* const* argv);

/// Notes go to stderr, progress nowhere.
class NotesOnly final : public progress::ProgressSink {
 public:
  void update(const progress::Progress&) override {}
  void finish(const progress::Progress&) override {}
  void note(const std::string& text) override;
};

/// The plugins beside the program.
[[nodiscard]] plugin::LoadedPlugins bench_plugins();

/// Where the scripts of other programs are, two folders below the recipes' parent: beside the program in a
/// bundle, else in the sources.
[[nodiscard]] std::filesystem::path scripts_folder();

/// --threads
void add_threads(CLI::App& command, std::int64_t& threads);
/// --size of made_features.h
void add_size(CLI::App& command, std::string& size);

[[nodiscard]] double seconds_of(const std::function<void()>& work);

[[nodiscard]] std::string number(double value, int digits = 2);

}  // namespace kindred::bench
