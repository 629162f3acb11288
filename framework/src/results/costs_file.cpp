#include "results/costs_file.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "file/atomic_file.h"
#include "progress/progress.h"
#include "results/json_object.h"
#include "text/number_text.h"

namespace kindred::results {
namespace {

/// Short times with a digit more than duration_text() gives.
std::string time_text(double seconds) {
  return seconds < 60 ? text::fixed_text(seconds, 1) + " s" : progress::duration_text(seconds);
}

std::string memory_text(double mib) {
  return text::fixed_text(mib, 0) + " MiB";
}

}  // namespace

StageCost CostsFile::total() const {
  StageCost total;
  for (const auto& stage : stages) {
    total.seconds += stage.cost.seconds;
    total.peak_memory_mib = std::max(total.peak_memory_mib, stage.cost.peak_memory_mib);
  }
  return total;
}

text::TextTable CostsFile::table() const {
  text::TextTable table;
  table.heads = {"STAGE", "TYPE", "TIME", "IMAGES", "IMAGES/S", "PEAK MEMORY"};
  table.widths = {30, 12, 14, 14, 14};
  for (const auto& stage : stages) {
    const auto& cost = stage.cost;
    const bool counted = cost.images > 0;
    table.rows.push_back(
        {stage.name, stage.type, time_text(cost.seconds), counted ? text::grouped_digits(cost.images) : "-",
         counted ? text::rate_text(cost.images_per_second()) : "-", memory_text(cost.peak_memory_mib)});
  }
  const auto all = total();
  table.rows.push_back({"total", "", time_text(all.seconds), "", "", memory_text(all.peak_memory_mib)});
  return table;
}

CostsFile CostsFile::read(const std::filesystem::path& file) {
  CostsFile costs;
  for (const auto& stage : JsonObject::read(file).objects("stages")) {
    costs.stages.push_back({stage.get<std::string>("stage"), stage.get<std::string>("type"), cost_of(stage)});
  }
  return costs;
}

void CostsFile::write(const std::filesystem::path& file) const {
  Json list = Json::array();
  for (const auto& stage : stages) {
    Json entry = {{"stage", stage.name}, {"type", stage.type}};
    entry.update(cost_json(stage.cost));
    list.push_back(std::move(entry));
  }
  const auto all = total();
  write_json(file, {{"stages", std::move(list)},
                    {"total", {{"seconds", all.seconds}, {"peak_memory_mib", all.peak_memory_mib}}}});
  file::write_atomically(std::filesystem::path(file).replace_extension(".md"),
                         [&](std::ostream& out) { out << table().markdown(); });
}

}  // namespace kindred::results
