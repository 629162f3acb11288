#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "command/describe.h"
#include "command/reference.h"
#include "common_options.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "session.h"

namespace kindred::launcher {
namespace {

using command::DescribeFormat;

struct Options {
  std::string name;
  std::string format = "text";
  std::filesystem::path reference;
  PluginOptions plugins;
};

DescribeFormat format_of(const std::string& name) {
  if (name == "markdown") return DescribeFormat::markdown;
  if (name == "json") return DescribeFormat::json;
  return DescribeFormat::text;
}

void write_reference(const Catalog& catalog, const std::filesystem::path& folder) {
  for (const auto& page : command::reference_pages(catalog)) {
    const auto file = folder / page.file;
    file::write_atomically(file, [&](std::ostream& out) { out << page.text; });
    std::cout << file.string() << '\n';
  }
}

int describe(const Options& options, Session& session) {
  if (options.name.empty() && options.reference.empty()) {
    throw RecipeError(
        {}, "describe needs a name, such as head/mgn, head or train; `kindred list` shows the components");
  }
  const auto& catalog = session.load_plugins(options.plugins.folders);
  if (options.reference.empty()) {
    std::cout << command::describe(catalog, options.name, format_of(options.format));
  } else {
    write_reference(catalog, options.reference);
  }
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto* name = app.add_option("NAME", options->name,
                              "A component (head/mgn), a role (head) or a table (train, recipe)")
                   ->type_name("NAME");
  auto* format = app.add_option("--format", options->format, "text, markdown or json")
                     ->check(CLI::IsMember({"text", "markdown", "json"}))
                     ->capture_default_str()
                     ->type_name("FORMAT");
  auto* reference = app.add_option("--reference", options->reference,
                                   "Write the whole reference into this folder, one page for each role")
                        ->type_name("DIR");
  name->excludes(reference);
  reference->excludes(format);
  options->plugins.add_to(app);
  return [options](Session& session) { return describe(*options, session); };
}

}  // namespace

const Command describe_command = {
    "describe", "Describe a component, a role or a table of the recipe, with all parameters", add_options};

}  // namespace kindred::launcher
