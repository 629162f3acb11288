// The launcher: reads the command line, calls a command, prints its result, sets the exit code.
#include <c10/util/Exception.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "kindred/core/error.h"
#include "options.h"
#include "progress/log.h"
#include "system/device.h"

namespace {

using kindred::launcher::Options;

enum ExitCode { done = 0, failed = 1, wrong_recipe_or_usage = 2, wrong_plugin = 3 };

using Command = std::function<int(const Options&)>;

constexpr const char* common_group = "Common options";

/// Options that every command takes.
void add_common_options(CLI::App& app, Options& options) {
  app.add_option("--log-level", options.log_level, "How much is logged")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->type_name("LEVEL")
      ->capture_default_str()
      ->group(common_group);
  app.add_flag("--quiet,-q", options.quiet, "No progress and no notes, only results and errors")
      ->group(common_group);
}

void add_plugin_folders(CLI::App& app, Options& options) {
  app.add_option("--plugin-dir", options.plugin_folders, "Look for plugins here first (repeatable)")
      ->type_name("DIR")
      ->expected(1)
      ->take_all()
      ->group(common_group);
}

void add_threads(CLI::App& app, Options& options) {
  app.add_option("--threads", options.threads, "Threads for computing, up to 4096; 0: all usable processors")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->group(common_group);
}

/// What commands that follow a recipe take, be it a file or the one inside weights.
void add_recipe_options(CLI::App& app, Options& options) {
  app.add_option("--set", options.overrides, "Override a key of the recipe: train.epochs=3 (repeatable)")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->group(common_group);
  app.add_option("--device", options.device, "Where to compute: auto, cpu, cuda or cuda:N")
      ->type_name("NAME")
      ->group(common_group);
  add_threads(app, options);
  add_plugin_folders(app, options);
}

/// Where commands are added: what they fill in, and which one was typed.
struct CommandLine {
  Options options;
  Command chosen;
};

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& what, Command command,
                      CommandLine& line) {
  CLI::App* app = parent.add_subcommand(name, what);
  add_common_options(*app, line.options);
  app->callback([command = std::move(command), &line] { line.chosen = command; });
  return app;
}

void add_recipe(CLI::App& app, Options& options) {
  app.add_option("RECIPE", options.recipe, "A recipe file (see configs/)")->required()->type_name("FILE");
}

void add_data(CLI::App& app, Options& options) {
  app.add_option("--data", options.data, "Where the images are: sets dataset.root")->type_name("PATH");
}

void add_run_directory(CLI::App& app, Options& options) {
  app.add_option("--run-dir", options.run_directory,
                 "The run's folder; the same folder again goes on where it stopped [runs/NAME]")
      ->type_name("DIR");
}

void add_features(CLI::App& app, Options& options) {
  app.add_option("FOLDER", options.folder,
                 "A folder with query.npy/.csv and gallery.npy/.csv, as embed writes")
      ->type_name("DIR");
  app.add_option("--query", options.query, "Descriptors of the queries: NAME.npy beside NAME.csv")
      ->type_name("FILE");
  app.add_option("--gallery", options.gallery, "Descriptors of the gallery: NAME.npy beside NAME.csv")
      ->type_name("FILE");
}

/// How the gallery is searched: what commands on descriptors take.
void add_ranking(CLI::App& app, Options& options) {
  app.add_option("--recipe", options.recipe,
                 "Take [[post_processor]], [ranking], [evaluate] and [[metric]] of this recipe")
      ->type_name("FILE");
  app.add_option("--post", options.post_processors,
                 "Apply this post-processor: k_reciprocal, query_expansion, ... (repeatable, in order; --set "
                 "post_processor.k_reciprocal.k1=20 changes its parameters)")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  add_recipe_options(app, options);
}

void add_study_commands(CLI::App& app, CommandLine& line) {
  auto& options = line.options;
  using namespace kindred::launcher;
  const auto add_common = [&](CLI::App& command, const std::string& folder) {
    add_recipe_options(command, options);
    add_data(command, options);
    command
        .add_option("--run-dir", options.run_directory,
                    "Where the runs and their table lie; the same folder again goes on where it stopped [" +
                        folder + "]")
        ->type_name("DIR");
    command.add_flag("--dry-run", options.dry_run, "Check all recipes and list the runs; start none");
  };

  auto* folds = add_command(app, "folds", "Train and evaluate a recipe on each fold of its training images",
                            folds_command, line);
  add_recipe(*folds, options);
  add_common(*folds, "runs/NAME_folds");

  auto* study =
      add_command(app, "study", "Compare variants of a recipe over seeds and folds", study_command, line);
  study->add_option("STUDY", options.study, "A study file (see configs/studies/)")
      ->required()
      ->type_name("FILE");
  add_common(*study, "runs/NAME");
}

/// What commands with one component take; a recipe's other keys belong to the recipe of their data.
void add_component(CLI::App& app, const std::string& role, const std::string& what, Options& options) {
  app.add_option("--" + role, options.component,
                 what + " (see kindred list); --set " + role + ".KEY=VALUE changes its parameters")
      ->required()
      ->type_name("NAME");
}

void add_overrides(CLI::App& app, Options& options) {
  app.add_option("--set", options.overrides,
                 "Override a key of the component or of the data's recipe (repeatable)")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->group(common_group);
  add_plugin_folders(app, options);
}

void add_label_commands(CLI::App& app, CommandLine& line) {
  auto& options = line.options;
  using namespace kindred::launcher;
  constexpr const char* data_help = "A recipe, or a folder or manifest of images";

  auto* partition = add_command(app, "partition", "Say which domain each image of a data set is of",
                                partition_command, line);
  partition->add_option("RECIPE|FOLDER", options.folder, data_help)->required()->type_name("PATH");
  add_component(*partition, "partitioner", "What tells domains apart", options);
  partition->add_option("--out", options.out, "Where domains.csv is written")->required()->type_name("DIR");
  add_overrides(*partition, options);

  auto* label = add_command(app, "label", "Make pseudo identities of images from their descriptors",
                            label_command, line);
  label
      ->add_option("FOLDER", options.folder,
                   "A folder with query.npy/.csv and gallery.npy/.csv, as embed writes")
      ->required()
      ->type_name("DIR");
  add_component(*label, "labeler", "What makes the identities", options);
  label->add_option("--domain", options.domains, "Label the images of this domain alone (repeatable)")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  label
      ->add_option("--domain-list", options.domain_list,
                   "Which domain each image is of, as partition writes; else what the .csv files say")
      ->type_name("FILE");
  label
      ->add_option("--data", options.data,
                   std::string(data_help) + ": draws some of the identities, labels.png")
      ->type_name("PATH");
  label->add_option("--out", options.out, "Where labels.csv and labels.json are written")
      ->required()
      ->type_name("DIR");
  add_recipe_options(*label, options);

  auto* submit = add_command(app, "submit", "Write rankings in the format in which they are handed in",
                             submit_command, line);
  add_component(*submit, "writer", "The format", options);
  submit
      ->add_option("--rankings", options.rankings,
                   "Files matches.csv, as match writes, that together rank each query once")
      ->required()
      ->type_name("FILE...");
  submit->add_option("--data", options.data, std::string(data_help) + ": its queries and its gallery")
      ->required()
      ->type_name("PATH");
  submit->add_option("--out", options.out, "Where the submission is written")->required()->type_name("DIR");
  add_overrides(*submit, options);
}

void add_weights_commands(CLI::App& app, CommandLine& line) {
  auto& options = line.options;
  using namespace kindred::launcher;

  auto* weights = app.add_subcommand("weights", "Look at files of weights, or make models of them");
  weights->require_subcommand(1);
  auto* inspect = add_command(*weights, "inspect",
                              "List the tensors of a file: safetensors, or what PyTorch's torch.save wrote",
                              inspect_weights_command, line);
  inspect->add_option("FILE", options.weights, "The file")->required()->type_name("FILE");
  inspect->add_option("--json", options.json, "Write it to this file as well, as JSON")->type_name("FILE");
  add_plugin_folders(*inspect, options);

  auto* import =
      add_command(*weights, "import", "Make a model of another program's weights; every tensor must fit",
                  import_weights_command, line);
  import->add_option("FILE", options.weights, "The other program's file")->required()->type_name("FILE");
  import->add_option("--recipe", options.recipe, "The network and what belongs to it")
      ->required()
      ->type_name("FILE");
  import->add_option("--out", options.out, "The model that is written: NAME.safetensors")
      ->required()
      ->type_name("FILE");
  import
      ->add_option("--allow-missing", options.allow_missing,
                   "Tensors of the network that the file may lack or have in another shape: "
                   "'head.classifier*' (repeatable)")
      ->type_name("PATTERN")
      ->expected(1)
      ->take_all();
  import->add_option("--identities", options.identities, "Of the classifiers [as the file has them]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}).description(""))
      ->type_name("N");
  add_recipe_options(*import, options);
}

void add_report_command(CLI::App& app, CommandLine& line) {
  auto& options = line.options;
  auto* report = add_command(app, "report", "Write a run as one HTML page: scores, curves, rankings, cost",
                             kindred::launcher::report_command, line);
  report->add_option("RUN", options.run_directory, "The folder of a run: runs/NAME")
      ->required()
      ->type_name("DIR");
  report->add_option("--out", options.out, "The page [RUN/report.html]")->type_name("FILE");
  add_data(*report, options);
  const auto add_count = [&](const char* name, std::size_t& count, const char* what) {
    report->add_option(name, count, what)
        ->check(CLI::Range(std::size_t{0}, std::size_t{1000}).description(""))
        ->capture_default_str()
        ->type_name("N");
  };
  add_count("--worst", options.worst_queries, "How many queries of the lowest AP are shown");
  add_count("--middle", options.middle_queries, "How many around the median");
  add_count("--best", options.best_queries, "How many of the highest AP");
  add_plugin_folders(*report, options);
}

void add_commands(CLI::App& app, CommandLine& line) {
  auto& options = line.options;
  using namespace kindred::launcher;

  auto* list =
      add_command(app, "list", "List all components: role, name, plugin, what it does", list_command, line);
  add_plugin_folders(*list, options);

  auto* describe = add_command(
      app, "describe", "Describe a component (role/name) or a table of the recipe, with all its parameters",
      describe_command, line);
  auto* name =
      describe->add_option("NAME", options.component, "head/mgn, loss/triplet, ...; or head, train, recipe")
          ->type_name("NAME");
  describe->add_option("--format", options.format, "text, markdown or json")
      ->check(CLI::IsMember({"text", "markdown", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  auto* reference =
      describe
          ->add_option("--reference", options.out, "Write the whole reference, a page for each role, here")
          ->type_name("DIR");
  name->excludes(reference);
  add_plugin_folders(*describe, options);

  auto* check = add_command(app, "check",
                            "Check a recipe and show what it resolves to; needs neither data nor a device",
                            check_command, line);
  add_recipe(*check, options);
  add_recipe_options(*check, options);
  add_data(*check, options);

  auto* train = add_command(app, "train", "Train a recipe's model, or go on with a training that was stopped",
                            train_command, line);
  add_recipe(*train, options);
  add_recipe_options(*train, options);
  add_data(*train, options);
  add_run_directory(*train, options);

  auto* run = add_command(app, "run", "Everything: train, embed, evaluate, rankings; or a pipeline's stages",
                          run_command, line);
  add_recipe(*run, options);
  add_recipe_options(*run, options);
  add_data(*run, options);
  add_run_directory(*run, options);
  run->add_flag("--dry-run", options.dry_run, "Pipeline: say what would run and why, and do none of it");
  run->add_option("--from", options.from, "Pipeline: run this stage and all that read of it anew")
      ->type_name("STAGE");
  run->add_option("--only", options.only, "Pipeline: run no other stage than this one")->type_name("STAGE");
  run->add_flag("--ignore-code", options.ignore_code,
                "Pipeline: what another build of Kindred or its plugins has made counts as up to date");

  auto* embed =
      add_command(app, "embed", "Describe images with a trained model; needs no recipe", embed_command, line);
  embed->add_option("--weights", options.weights, "A model that was trained: model.safetensors")
      ->required()
      ->type_name("FILE");
  embed
      ->add_option("--data", options.data,
                   "A data set or any folder of images; without it the data of the recipe in the weights")
      ->type_name("PATH");
  embed->add_option("--out", options.out, "Where descriptors are written")
      ->default_str("features")
      ->type_name("DIR");
  add_recipe_options(*embed, options);
  embed->add_option("--storage", options.storage, "float32, float16 or bfloat16: sets embed.storage")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
      ->type_name("TYPE");
  embed->add_flag("--train-split", options.train_split, "Describe the training images as well");

  auto* evaluate = add_command(app, "evaluate", "Figures of descriptors on disk: mAP, CMC, thresholds, ...",
                               evaluate_command, line);
  add_features(*evaluate, options);
  add_ranking(*evaluate, options);
  evaluate
      ->add_option("--metric", options.metrics,
                   "Use this metric in place of the default ones (repeatable, in order; see kindred list; "
                   "--set metric.NAME.KEY=VALUE changes its parameters)")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  evaluate
      ->add_option("--cameras", options.cameras,
                   "auto, known (the query's camera is left out) or single (nothing is left out)")
      ->check(CLI::IsMember({"auto", "known", "single"}))
      ->default_str("auto")
      ->type_name("MODE");
  evaluate
      ->add_option("--fpr", options.false_positive_rates,
                   "Tell the threshold for this share of false positives among pairs of different persons "
                   "(repeatable): sets metric.open_set.false_positive_rates [1e-4 1e-3 1e-2]")
      ->type_name("RATE")
      ->expected(1)
      ->take_all();
  evaluate
      ->add_option("--map-depth", options.map_depth,
                   "mAP looks at the first N images; 0: at all: sets metric.retrieval.depth [0]")
      ->type_name("N");
  evaluate->add_flag("--multi-query", options.multi_query,
                     "Merge the queries of one identity and camera: the mean of their descriptors");
  evaluate->add_option("--json", options.json, "Write the scores to this file as well")->type_name("FILE");
  evaluate
      ->add_option("--per-query", options.per_query,
                   "Write the figures of each query to this CSV file as well")
      ->type_name("FILE");
  evaluate
      ->add_option(
          "--out", options.out,
          "Write evaluation.json, evaluation.txt, per_query.csv and curves such as roc.csv here as well")
      ->type_name("DIR");

  auto* match = add_command(app, "match", "Rank the gallery for each query", match_command, line);
  add_features(*match, options);
  add_ranking(*match, options);
  match->add_option("--top", options.top, "How many gallery images for each query")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}).description(""))
      ->default_str("20")
      ->type_name("N");
  match
      ->add_option("--distances", options.distances,
                   "Write all distances, queries x gallery, to this .npy file")
      ->type_name("FILE");
  match->add_option("--out", options.out, "Where matches.csv and matches.json are written")
      ->default_str("rankings")
      ->type_name("DIR");

  add_report_command(app, line);

  auto* data = app.add_subcommand("data", "Look at data, or write it in another layout");
  data->require_subcommand(1);
  auto* doctor = add_command(
      *data, "doctor", "Say what a data set holds, what is wrong with it and what that means for evaluation",
      doctor_command, line);
  doctor->add_option("RECIPE|FOLDER", options.folder, "A recipe, or a folder or manifest of images")
      ->required()
      ->type_name("PATH");
  add_recipe_options(*doctor, options);
  doctor->add_flag("--no-decode", options.skip_decoding, "Do not read the images, only their names");
  doctor->add_option("--json", options.json, "Write the findings to this file as well")->type_name("FILE");
  auto* convert = add_command(*data, "convert", "Write a data set to disk in a layout that others read",
                              convert_command, line);
  convert
      ->add_option("RECIPE|FOLDER", options.folder,
                   "A recipe, or a folder or manifest of images [synthetic people]")
      ->type_name("PATH");
  convert->add_option("--out", options.out, "A folder that is empty or not there yet")
      ->required()
      ->type_name("DIR");
  add_component(*convert, "layout", "Folders and names", options);
  convert->add_option("--format", options.image_format, "jpg, png, bmp, webp or tif [the layout's own]")
      ->type_name("FORMAT");
  add_overrides(*convert, options);

  add_study_commands(app, line);
  add_label_commands(app, line);
  add_weights_commands(app, line);
}

/// What is wrong with the command's name; CLI11 only says that one is needed.
std::string wrong_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* parent = &app;
  std::string typed = "kindred";
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    std::vector<std::string> names;
    for (const auto* command : parent->get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(command->get_name());
    }
    if (names.empty()) return "";
    const std::string word = argv[i];
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      if (typed == "kindred data" && word == "draw") {
        return "error: `kindred data draw` is `kindred data convert` now";
      }
      const auto near = kindred::nearest_name(word, names);
      return "error: " + typed + " has no command '" + word + "'; " +
             (near.empty() ? "it has " + kindred::quoted_list(names) : "did you mean '" + near + "'?");
    }
    parent = parent->get_subcommand(word);
    typed += " " + word;
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Kindred: person re-identification from recipes and plugins\nEach command has its own help: kindred "
      "train -h"};
  app.name("kindred");
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Print this help");
  app.footer(
      "Examples:\n"
      "  kindred run configs/quickstart.toml\n"
      "  kindred train configs/market1501/small.toml --data DIR --set train.epochs=20\n"
      "  kindred describe head/mgn\n"
      "  kindred embed --weights runs/quickstart/final/model.safetensors --data DIR --out features\n"
      "Exit codes: 0 done, 1 the run failed, 2 recipe or usage, 3 plugin, 130 stopped and can go on");

  CommandLine line;
  add_commands(app, line);
  app.add_flag_callback(
      "--version",
      [] {
        std::cout << kindred::system::version_text();
        throw CLI::Success();
      },
      "Versions of Kindred and of what it runs on");
  if (const auto wrong = wrong_command(app, argc, argv); !wrong.empty()) {
    std::cerr << wrong << '\n';
    return wrong_recipe_or_usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? done : wrong_recipe_or_usage;
  }

  try {
    line.options.program = std::filesystem::read_symlink("/proc/self/exe");
    kindred::progress::start_log(line.options.quiet ? "error" : line.options.log_level);
    const int code = line.chosen(line.options);
    if (!std::cout.flush()) {
      std::cerr << "error: the results cannot be written to the standard output\n";
      return failed;
    }
    return code;
  } catch (const kindred::RecipeError& error) {
    std::cerr << error.what() << '\n';
    return wrong_recipe_or_usage;
  } catch (const kindred::PluginError& error) {
    std::cerr << error.what() << '\n';
    return wrong_plugin;
  } catch (const kindred::Error& error) {
    std::cerr << error.what() << '\n';
    return failed;
  } catch (const c10::Error& error) {
    std::cerr << "error: unexpected: LibTorch says: " << error.what_without_backtrace() << '\n';
    return failed;
  } catch (const std::exception& error) {
    std::cerr << "error: unexpected: " << error.what() << '\n';
    return failed;
  }
}
