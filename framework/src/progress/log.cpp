#include "progress/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::progress {
namespace {

constexpr const char* file_pattern = "%Y-%m-%d %H:%M:%S.%e %l: %v";

}  // namespace

void start_log(const std::string& level) {
  const auto known = spdlog::level::from_str(level);
  if (known == spdlog::level::off && level != "off") {
    throw Error("unknown log level '" + level + "'; allowed are 'debug', 'info', 'warn', 'error' and 'off'");
  }
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  sink->set_level(known);
  sink->set_pattern("%^%l%$: %v");
  auto logger = std::make_shared<spdlog::logger>("kindred", std::move(sink));
  // The sinks decide: a run's log file keeps more than the terminal shows.
  logger->set_level(std::min(known, spdlog::level::info));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

void log_debug(const std::string& text) {
  spdlog::debug(text);
}

void log_info(const std::string& text) {
  spdlog::info(text);
}

void log_warning(const std::string& text) {
  spdlog::warn(text);
}

void log_error(const std::string& text) {
  spdlog::error(text);
}

struct RunLog::State {
  std::shared_ptr<spdlog::sinks::basic_file_sink_mt> sink;
  std::shared_ptr<spdlog::logger> program;  // the one that the sink was added to
  std::shared_ptr<spdlog::logger> own;
};

RunLog::RunLog(const std::filesystem::path& file) : state_(std::make_unique<State>()) {
  try {
    state_->sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  } catch (const spdlog::spdlog_ex& error) {
    throw DataError(file, std::string("cannot be written: ") + error.what());
  }
  state_->sink->set_pattern(file_pattern);
  state_->sink->set_level(spdlog::level::info);
  state_->own = std::make_shared<spdlog::logger>("run", state_->sink);
  state_->own->flush_on(spdlog::level::info);
  state_->program = spdlog::default_logger();
  if (state_->program) state_->program->sinks().push_back(state_->sink);
}

RunLog::~RunLog() {
  if (state_->program) {
    auto& sinks = state_->program->sinks();
    sinks.erase(std::remove(sinks.begin(), sinks.end(), state_->sink), sinks.end());
  }
}

void RunLog::update(const Progress&) {}

void RunLog::finish(const Progress& progress) {
  state_->own->info(progress_text(progress));
}

void RunLog::note(const std::string& text) {
  state_->own->info(text);
}

}  // namespace kindred::progress
