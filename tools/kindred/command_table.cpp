#include <array>
#include <span>

#include "command.h"

namespace kindred::launcher {

std::span<const Command* const> all_commands() {
  static constexpr std::array commands = {
      &list_command,           &describe_command,    &check_command,        &run_command,
      &train_command,          &embed_command,       &evaluate_command,     &match_command,
      &search_command,         &serve_command,       &export_command,       &report_command,
      &folds_command,          &study_command,       &partition_command,    &label_command,
      &submit_command,         &data_doctor_command, &data_convert_command, &weights_inspect_command,
      &weights_import_command, &new_plugin_command,  &doctor_command};
  return commands;
}

std::span<const CommandGroup> command_groups() {
  static constexpr std::array groups = {
      CommandGroup{"data", "Check data sets, or write them to disk"},
      CommandGroup{"weights", "Inspect weight files, or import models from other programs"},
      CommandGroup{"new", "Begin a plugin of your own"}};
  return groups;
}

std::span<const RenamedCommand> renamed_commands() {
  static constexpr std::array renamed = {RenamedCommand{"data draw", "data convert"}};
  return renamed;
}

}  // namespace kindred::launcher
