// The launcher: parses the command line, runs a command, sets the exit code.

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "command.h"
#include "common_options.h"
#include "kindred/core/error.h"
#include "local_ranks.h"
#include "recipe/component_choice.h"
#include "session.h"
#include "system/device.h"
#include "system/exception_text.h"
#include "system/library_messages.h"
#include "system/out_of_memory.h"
#include "system/processors.h"
#include "system/ranks.h"
#include "text/printable.h"

namespace kindred::launcher {
namespace {

enum ExitCode { done = 0, failed = 1, wrong_recipe_or_usage = 2, wrong_plugin = 3 };

struct CommandLine {
  OutputOptions output;
  Action action;
};

std::vector<std::string> subcommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

CLI::App* find_or_add_group(CLI::App& app, const std::string& name) {
  const auto names = subcommands(app);
  if (std::find(names.begin(), names.end(), name) != names.end()) return app.get_subcommand(name);
  const auto groups = command_groups();
  const auto group = std::find_if(groups.begin(), groups.end(),
                                  [&](const CommandGroup& candidate) { return name == candidate.name; });
  if (group == groups.end()) throw std::logic_error("no group of commands is named '" + name + "'");
  return app.add_subcommand(name, group->summary)->require_subcommand(1);
}

void add_commands(CLI::App& app, CommandLine& line) {
  for (const auto* command : all_commands()) {
    std::string name = command->name;
    CLI::App* parent = &app;
    if (const auto space = name.find(' '); space != std::string::npos) {
      parent = find_or_add_group(app, name.substr(0, space));
      name.erase(0, space + 1);
    }
    CLI::App* added = parent->add_subcommand(name, command->summary);
    auto action = command->add_options(*added);
    line.output.add_to(*added);
    added->callback([action = std::move(action), &line] { line.action = action; });
  }
}

/// What is wrong with the name of the command, or "".
std::string wrong_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* parent = &app;
  std::string typed;
  int i = 1;
  for (; i < argc && argv[i][0] != '-'; ++i) {
    const auto names = subcommands(*parent);
    if (names.empty()) return "";
    const std::string word = argv[i];
    const std::string whole = typed + (typed.empty() ? "" : " ") + word;
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      for (const auto& renamed : renamed_commands()) {
        if (whole == renamed.name) return std::string(renamed.name) + " is now " + renamed.now;
      }
      const auto near = nearest_name(word, names);
      return "kindred" + (typed.empty() ? "" : " " + typed) + " has no command '" + word + "'; " +
             (near.empty() ? "choose " + quoted_list(names) : "did you mean '" + near + "'?");
    }
    parent = parent->get_subcommand(word);
    typed = whole;
  }
  const auto names = subcommands(*parent);
  if (i < argc || names.empty()) return "";
  return "kindred " + typed + " needs a command; choose " + quoted_list(names);
}

/// What is wrong with the arguments of a command, at the command.
std::string wrong_usage(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = app.get_name();
  for (const auto* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return command + ": error: " + error.what() + "; `" + command + " --help` shows what it takes";
}

/// As they were typed, but what follows "=" is an argument of its own where it is empty: CLI11 would take the
/// next argument for it.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (auto at = arguments.begin(); at != arguments.end() && *at != "--"; ++at) {
    if (!at->starts_with("--") || at->find('=') != at->size() - 1) continue;
    at->pop_back();
    at = arguments.insert(at + 1, "");
  }
  return arguments;
}

/// What is wrong with an option or argument that was given an empty text, or "". A shell variable that is not
/// set leaves one, and it must not count as an option that was not given.
std::string empty_argument(const CLI::App& app) {
  for (const auto* option : app.get_options()) {
    const auto& given = option->results();
    const bool is_hidden = option->get_group().empty();
    if (is_hidden || std::find(given.begin(), given.end(), "") == given.end()) continue;
    return option->get_name() + ": error: is empty; give " + option->get_type_name() +
           (option->get_required()     ? ""
            : option->get_positional() ? ", or leave it out"
                                       : ", or leave the option out");
  }
  for (const auto* command : app.get_subcommands()) {
    if (auto wrong = empty_argument(*command); !wrong.empty()) return wrong;
  }
  return "";
}

void print_error(const std::string& text) {
  std::cerr << text::escaped_lines(text) << '\n';
}

/// What plugins throw has the component's name by now: whatever comes here is a fault of Kindred itself.
void print_unexpected(const std::string& what) {
  print_error("error: unexpected: " + what +
              "; this is a fault of Kindred: please report it with the command and the recipe");
}

void print_out_of_memory(const std::string& what) {
  print_error("error: memory does not suffice: " + what +
              "; use smaller batches or images, or a machine with more memory");
}

/// What the system refuses is no fault of Kindred, wherever it was noticed.
/// @return whether it was that
bool print_refused(const std::exception& error) {
  if (const auto* of_file = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    const auto& code = of_file->code();
    const std::string what = error.what();  // "filesystem error: cannot rename: No space left on device [/a]"
    const auto begin = what.find("cannot ");
    const auto end = what.find(':', begin);
    const bool is_known = begin != std::string::npos && end != std::string::npos;
    const auto failed = is_known ? what.substr(begin, end - begin) + ": " : std::string();
    print_error(DataError(of_file->path1(),
                          failed + code.message() + "; run the same command again when that is mended")
                    .what());
    return true;
  }
  const auto* of_system = dynamic_cast<const std::system_error*>(&error);
  if (of_system != nullptr && of_system->code() == std::errc::resource_unavailable_try_again) {
    print_error(std::string("error: the system starts no further thread (") + error.what() +
                "); use fewer (--threads, loader.workers), or raise the limit (ulimit -u)");
    return true;
  }
  return false;
}

int run(const CommandLine& line, std::vector<std::string> typed) {
  Session session(std::move(typed), line.output.quiet);
  system::silence_library_messages();
  try {
    const int code = line.action(session);
    if (std::cout.flush()) return code;
    print_error("error: cannot write the results to standard output");
  } catch (const recipe::MissingComponentError& error) {
    print_error(at_options(error).what());
    const auto& refused = session.refused_plugins();
    if (refused.empty()) return wrong_recipe_or_usage;
    print_error(PluginError(refused.front().file,
                            "no loaded plugin offers a component that the recipe needs; " +
                                std::to_string(refused.size()) +
                                " of the plugins found could not be loaded (see the warnings above)")
                    .what());
    return wrong_plugin;
  } catch (const RecipeError& error) {
    print_error(at_options(error).what());
    return wrong_recipe_or_usage;
  } catch (const PluginError& error) {
    print_error(error.what());
    return wrong_plugin;
  } catch (const system::LostRankError& error) {
    if (is_local_rank()) return lost_rank_exit;
    print_error(error.what());
  } catch (const system::OutOfMemory& error) {
    print_error(std::string("error: ") + error.what());
  } catch (const Error& error) {
    print_error(error.what());
  } catch (const std::exception& error) {
    const auto what = system::exception_text(error);
    if (system::is_out_of_memory(error)) {
      print_out_of_memory(what);
    } else if (!print_refused(error)) {
      print_unexpected(what);
    }
  } catch (...) {
    print_unexpected("something was thrown that is not an exception");
  }
  return failed;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{
      "Kindred: person re-identification from recipes and plugins\n"
      "Each command has its own help: kindred train -h"};
  app.name("kindred");
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Print this help");
  app.add_flag_callback(
      "--version",
      [] {
        system::set_threads(0);  // as a command does that is not told otherwise
        std::cout << system::version_text();
        throw CLI::Success();
      },
      "Print the versions of Kindred and its libraries, and the hardware found");
  CommandLine line;
  add_commands(app, line);
  // Set last: commands inherit what their parent has when they are added.
  app.footer(
      "Examples:\n"
      "  kindred run configs/quickstart.toml\n"
      "  kindred train configs/market1501/small.toml --data DIR --set train.epochs=20\n"
      "  kindred describe head/mgn\n"
      "  kindred embed --weights runs/quickstart/final/model.safetensors --data DIR --out features\n"
      "Exit codes: 0 done, 1 the run failed, 2 wrong recipe or usage, 3 wrong plugin, 130 stopped, can be "
      "continued");

  if (argc < 2) {
    std::cerr << app.help();
    return wrong_recipe_or_usage;
  }
  if (const auto wrong = wrong_command(app, argc, argv); !wrong.empty()) {
    print_error("error: " + wrong);
    return wrong_recipe_or_usage;
  }
  const auto arguments = arguments_of(argc, argv);
  std::vector<const char*> texts;
  for (const auto& argument : arguments) texts.push_back(argument.c_str());
  try {
    app.parse(static_cast<int>(texts.size()), texts.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help
    if (empty_argument(app).empty()) {
      print_error(wrong_usage(app, error));
      return wrong_recipe_or_usage;
    }
  }
  if (const auto wrong = empty_argument(app); !wrong.empty()) {
    print_error(wrong);
    return wrong_recipe_or_usage;
  }
  return run(line, {argv, argv + argc});
}

/// Takes the numbers of standard streams that were closed, which the next files would get, and with them what
/// is printed. To read and to write fails as before.
void take_closed_streams() {
  int descriptor = -1;
  do {
    descriptor = ::open("/", O_PATH);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) ::close(descriptor);
}

}  // namespace
}  // namespace kindred::launcher

int main(int argc, char** argv) {
  kindred::launcher::take_closed_streams();
  kindred::system::undo_openmp_binding();
  return kindred::launcher::parse_and_run(argc, argv);
}
