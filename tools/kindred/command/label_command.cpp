#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "command/label.h"
#include "common_options.h"
#include "joined_ranks.h"
#include "local_ranks.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  command::LabelRequest request;
  RecipeOptions recipe;
};

int label(const Options& options, Session& session) {
  if (const auto code = run_local_ranks(options.recipe.asked_ranks(), session)) return *code;
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  auto request = options.request;
  request.overrides = options.recipe.overrides();
  JoinedRanks joined(session);
  const auto result = command::label(request, catalog, joined.progress(), joined.ranks());
  joined.end();
  if (!joined.ranks().is_first()) return 0;
  std::cout << result.labels.csv.string() << "  " << result.labels.identities << " pseudo identities of "
            << result.labels.images << " images\n"
            << result.labels.json.string() << '\n';
  if (result.sheet) std::cout << result.sheet->string() << '\n';
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto& request = options->request;
  app.add_option("FOLDER", request.features,
                 "A folder with query.npy/.csv, gallery.npy/.csv or both, as embed writes it, or the folder "
                 "of a run")
      ->required()
      ->type_name("DIR");
  add_component_name(app, "labeler", request.labeler, "The method that groups images into identities");
  add_repeatable(app, "--domain", request.domains, "Label only the images of this domain")->type_name("NAME");
  app.add_option("--domain-list", request.domain_list,
                 "The domain of each image, as partition writes it [as the .csv files of the features say]")
      ->type_name("FILE");
  app.add_option("--data", request.data,
                 std::string(data_source_help) + ": draws labels.png, which shows some of the identities")
      ->type_name("PATH");
  app.add_option("--out", request.out, "Folder that labels.csv and labels.json are written to")
      ->required()
      ->type_name("DIR");
  options->recipe.add_to(app, Computing::on_any_device, "labeler.eps=0.5");
  options->recipe.add_ranks_to(app);
  return [options](Session& session) { return label(*options, session); };
}

}  // namespace

const Command label_command = {"label", "Generate pseudo labels from features on disk", add_options};

}  // namespace kindred::launcher
