#include "progress/run_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>

#include <iostream>

#include "kindred/core/error.h"
#include "text/printable.h"

namespace kindred::progress {
namespace {

/// What spdlog says ends with what the system says: "Failed opening file log.txt for writing: Is a
/// directory".
std::string reason_of(const std::string& message) {
  const auto colon = message.rfind(": ");
  return colon == std::string::npos ? message : message.substr(colon + 2);
}

std::shared_ptr<spdlog::sinks::sink> sink_of(const std::filesystem::path& file) {
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  } catch (const spdlog::spdlog_ex& error) {
    throw DataError(file, "cannot be written: " + reason_of(error.what()));
  }
}

}  // namespace

struct RunLog::Logger {
  explicit Logger(const std::filesystem::path& file) : log("run", sink_of(file)) {
    log.set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
    log.flush_on(spdlog::level::info);
    log.set_error_handler([file, is_said = false](const std::string& message) mutable {
      if (is_said) return;
      is_said = true;
      std::cerr << "warning: " << file.string() << ": cannot be written: " << reason_of(message)
                << "; lines may be missing there from now on\n";
    });
  }

  spdlog::logger log;
};

RunLog::RunLog(const std::filesystem::path& file) : logger_(std::make_unique<Logger>(file)) {}

RunLog::~RunLog() = default;

void RunLog::update(const Progress&) {}

void RunLog::finish(const Progress& progress) {
  note(progress_text(progress));
}

void RunLog::note(const std::string& text) {
  logger_->log.info(text::escaped_lines(text, log_indent));
}

}  // namespace kindred::progress
