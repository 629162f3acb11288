// The commands of the launcher. Each has a file of its own in command/, which holds its options and its
// action.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

namespace kindred::launcher {

class Session;

/// Carries out a command once its options have been parsed. Prints the result to stdout and returns the exit
/// code; throws when something goes wrong.
using Action = std::function<int(Session&)>;

struct Command {
  const char* name;     ///< "train", or "data doctor" for a command of a group
  const char* summary;  ///< one line for the help
  /// Adds the command's options to `app`. They live as long as the action.
  Action (*add_options)(CLI::App& app);
};

/// Commands whose names begin with the same word.
struct CommandGroup {
  const char* name;
  const char* summary;
};

/// The name of a command in an earlier version.
struct RenamedCommand {
  const char* name;
  const char* now;
};

/// Every command, in the order of the help.
[[nodiscard]] std::span<const Command* const> all_commands();
[[nodiscard]] std::span<const CommandGroup> command_groups();
[[nodiscard]] std::span<const RenamedCommand> renamed_commands();

extern const Command check_command;
extern const Command data_doctor_command;
extern const Command data_convert_command;
extern const Command describe_command;
extern const Command doctor_command;
extern const Command embed_command;
extern const Command evaluate_command;
extern const Command export_command;
extern const Command folds_command;
extern const Command label_command;
extern const Command list_command;
extern const Command match_command;
extern const Command new_plugin_command;
extern const Command partition_command;
extern const Command report_command;
extern const Command run_command;
extern const Command search_command;
extern const Command serve_command;
extern const Command study_command;
extern const Command submit_command;
extern const Command train_command;
extern const Command weights_import_command;
extern const Command weights_inspect_command;

}  // namespace kindred::launcher
