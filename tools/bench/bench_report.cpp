#include "bench_report.h"

#include <ATen/Parallel.h>

#include <unistd.h>
#include <cstdint>
#include <filesystem>
#include <opencv2/core/utility.hpp>
#include <ostream>

#include "common.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "system/device.h"
#include "system/processors.h"
#include "system/version.h"

namespace kindred::bench {

nlohmann::json machine_json(torch::Device device) {
  return {{"processor", system::processor_name()}, {"usable_processors", system::usable_processors()},
          {"threads", at::get_num_threads()},      {"device", system::device_text(device)},
          {"kindred", system::kindred_version},    {"libtorch", system::torch_version()},
          {"blas", system::blas_name()},           {"opencv", cv::getVersionString()}};
}

nlohmann::json spread_json(const speed::Spread& spread) {
  return {{"median", spread.median}, {"low", spread.low}, {"high", spread.high}, {"turns", spread.count}};
}

nlohmann::json side_json(const std::string& name, const speed::StepTimes& times, std::int64_t images) {
  return {{"name", name},
          {"images_per_second", spread_json(times.spread().rate(static_cast<double>(images)))},
          {"seconds_per_step", times.turns},
          {"steps_per_turn", times.steps}};
}

std::string spread_text(const speed::Spread& spread, int digits) {
  return number(spread.median, digits) + " (" + number(spread.low, digits) + " to " +
         number(spread.high, digits) + ")";
}

void require_writable(const std::string& file) {
  if (file.empty()) return;
  if (std::filesystem::is_directory(file)) throw DataError(file, "is a folder; name a file");
  // What is written takes the place of a file that is there, so its folder must take another one.
  const bool replaced = std::filesystem::is_regular_file(file);
  if (!replaced && std::filesystem::exists(file)) return;  // a device or a pipe
  const auto tried = replaced ? file + "." + std::to_string(::getpid()) + ".try" : file;
  file::write_atomically(tried, [](std::ostream&) {});
  std::filesystem::remove(tried);
}

void write_json(const std::string& file, const nlohmann::json& content) {
  if (file.empty()) return;
  file::write_atomically(file, [&](std::ostream& out) { out << content.dump(2) << '\n'; });
}

}  // namespace kindred::bench
