#include "common.h"

#include <exception>
#include <filesystem>
#include <iostream>

#include "progress/text_progress.h"
#include "text/number_text.h"

namespace kindred::bench {

void NotesOnly::note(const std::string& text) {
  std::cerr << text << '\n';
}

plugin::LoadedPlugins bench_plugins() {
  return plugin::load_plugins(
      plugin::plugin_folders({}, "", std::filesystem::read_symlink("/proc/self/exe")));
}

std::filesystem::path scripts_folder() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  const auto beside = program.parent_path().parent_path() / "share/kindred/tools/bench";
  return std::filesystem::is_directory(beside) ? beside : std::filesystem::path(KINDRED_BENCH_FOLDER);
}

void add_threads(CLI::App& command, std::int64_t& threads) {
  command.add_option("--threads", threads, "0: all usable processors")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void add_size(CLI::App& command, std::string& size) {
  command.add_option("--size", size, "market, naic or QUERIESxGALLERYxDIM")->capture_default_str();
}

double seconds_of(const std::function<void()>& work) {
  const double start = progress::monotonic_seconds();
  work();
  return progress::monotonic_seconds() - start;
}

std::string number(double value, int digits) {
  return text::fixed_text(value, digits);
}

int bench_main(int argc, const char* const* argv) {
  CLI::App app{"Benchmarks of Kindred: each figure is compared with others of the same run"};
  app.require_subcommand(1);
  Chosen chosen;
  add_embed(app, chosen);
  add_train(app, chosen);
  add_load(app, chosen);
  add_rerank(app, chosen);
  add_evaluate(app, chosen);
  add_search(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  try {
    return chosen();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

}  // namespace kindred::bench
