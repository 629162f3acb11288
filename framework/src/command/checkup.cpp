#include "command/checkup.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "command/checkup_steps.h"
#include "command/machine.h"
#include "progress/text_progress.h"
#include "system/device.h"
#include "system/exception_text.h"
#include "text/text_table.h"

namespace kindred::command {
namespace {

const char* result_name(Check::Result result) {
  switch (result) {
    case Check::Result::ok:
      return "ok";
    case Check::Result::failed:
      return "FAILED";
    case Check::Result::left_out:
      return "left out";
    case Check::Result::told:
      break;
  }
  return "-";
}

}  // namespace

void CheckList::check(const std::string& name, const std::string& expected,
                      const std::function<Finding()>& find) {
  progress::Progress now;
  now.stage = "doctor";
  now.detail = name;
  progress_.update(now);
  Check row{name, "", expected, Check::Result::failed, ""};
  try {
    auto finding = find();
    row.figure = std::move(finding.figure);
    row.result = !finding.ok ? Check::Result::told : *finding.ok ? Check::Result::ok : Check::Result::failed;
    if (row.result == Check::Result::failed) row.note = std::move(finding.note);
  } catch (const std::exception& error) {
    row.figure = "an error";
    row.note = system::exception_text(error);
  }
  checks_.push_back(std::move(row));
}

void CheckList::leave_out(const std::string& name, const std::string& why) {
  checks_.push_back({name, why, "", Check::Result::left_out, ""});
}

bool Checkup::passed() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.result == Check::Result::failed; });
}

Checkup check_up(const CheckupRecipes& recipes, const CheckupOptions& options, const Catalog& catalog,
                 progress::ProgressSink& progress) {
  const double start = progress::monotonic_seconds();
  const auto device = system::resolve_device(options.machine.device);
  prepare_machine(options.machine, progress);
  CheckList checks(progress);
  tell_machine(device, checks);
  check_networks(catalog, device, checks);
  check_training(recipes.small_training, catalog, device, checks);
  check_searches(catalog, device, checks);
  measure_networks(recipes.networks, catalog, device, options.quick, checks);
  measure_search(recipes.search, catalog, device, options.quick, checks);
  Checkup checkup;
  checkup.device = system::device_text(device);
  checkup.quick = options.quick;
  checkup.checks = checks.take();
  checkup.seconds = progress::monotonic_seconds() - start;
  return checkup;
}

std::string checkup_text(const Checkup& checkup) {
  text::TextTable table;
  table.heads = {"CHECK", "FOUND", "EXPECTED", "RESULT"};
  table.widths = {34, 44, 22};
  for (const auto& check : checkup.checks) {
    table.rows.push_back({check.name, check.figure, check.expected, result_name(check.result)});
  }
  std::string text = table.str();
  for (const auto& check : checkup.checks) {
    if (!check.note.empty()) text += "\n" + check.name + ": " + check.note + "\n";
  }
  const auto failed = std::count_if(checkup.checks.begin(), checkup.checks.end(),
                                    [](const Check& check) { return check.result == Check::Result::failed; });
  return text + "\n" + checkup.device + "; " + progress::duration_text(checkup.seconds) + "; " +
         (failed == 0 ? "nothing failed" : std::to_string(failed) + " failed") + "\n";
}

std::string checkup_json(const Checkup& checkup) {
  nlohmann::ordered_json json;
  json["device"] = checkup.device;
  json["quick"] = checkup.quick;
  json["seconds"] = checkup.seconds;
  json["passed"] = checkup.passed();
  json["checks"] = nlohmann::ordered_json::array();
  for (const auto& check : checkup.checks) {
    json["checks"].push_back({{"name", check.name},
                              {"found", check.figure},
                              {"expected", check.expected},
                              {"result", result_name(check.result)},
                              {"note", check.note}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kindred::command
