#include "command/doctor.h"

#include <algorithm>

#include "command/doctor_checks.h"

namespace kindred::command {

DoctorReport examine(const Dataset& dataset, bool decode_all, progress::ProgressSink* sink,
                     const std::filesystem::path& root) {
  const std::vector<Sample> samples = dataset.samples();
  DoctorReport report;
  report.decoded = decode_all;
  report.splits = split_figures(samples);
  report.match = match_figures(samples);
  if (!root.empty()) report.unused = unused_images(samples, root);
  if (decode_all) examine_pixels(dataset, samples, sink, report);
  report.findings = findings(samples, report);
  return report;
}

bool is_usable(const DoctorReport& report) {
  return std::none_of(report.findings.begin(), report.findings.end(),
                      [](const Finding& finding) { return finding.severity == Severity::error; });
}

}  // namespace kindred::command
