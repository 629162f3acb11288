#include "report/report.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <ostream>
#include <string>

#include "data/open_dataset.h"
#include "file/atomic_file.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "recipe/recipe_override.h"
#include "recipe/toml_reader.h"
#include "report/blocks.h"
#include "report/data_section.h"
#include "report/map_pictures.h"
#include "report/page.h"
#include "report/ranking_section.h"
#include "report/training_section.h"
#include "text/number_text.h"

namespace kindred::report {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_warnings = 50;

/// "2026-11-24T14:22:42.039Z" as "2026-11-24 14:22 UTC"; any other text as it is.
std::string time_text(const std::string& time) {
  int parts[5];
  int minute_end = 0;
  const bool known = std::sscanf(time.c_str(), "%4d-%2d-%2dT%2d:%2d%n", &parts[0], &parts[1], &parts[2],
                                 &parts[3], &parts[4], &minute_end) == 5;
  return known && minute_end == 16 && time.back() == 'Z'
             ? time.substr(0, 10) + " " + time.substr(11, 5) + " UTC"
             : time;
}

/// When the last thing happened that the run's files tell of.
std::string last_time(const RunFiles& run) {
  std::string last;
  for (const auto& stage : run.stages) {
    last = std::max(last, stage.finished_at);
    const auto* training = stage.holds<TrainingFiles>();
    if (training != nullptr && training->metrics.value)
      last = std::max(last, training->metrics.value->last_time);
  }
  return last;
}

/// A key of the first training's environment; "" when there is none.
std::string environment_key(const RunFiles& run, const std::string& key) {
  for (const auto& stage : run.stages) {
    const auto* training = stage.holds<TrainingFiles>();
    if (training == nullptr || !training->environment.value) continue;
    for (const auto& [name, value] : training->environment.value->entries()) {
      if (name == key) return value;
    }
  }
  return "";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Those of the trainings, each once, in order: "7, 8".
std::string seeds_of(const RunFiles& run) {
  std::vector<std::string> seeds;
  for (const auto& stage : run.stages) {
    const auto* training = stage.holds<TrainingFiles>();
    if (training == nullptr || !training->recipe.value) continue;
    try {
      const auto recipe = recipe::parse_toml(*training->recipe.value, "recipe.toml");
      const auto* seed = recipe.as<Table>()->find("seed");
      if (seed == nullptr) continue;
      const auto text = seed->to_toml();
      if (std::find(seeds.begin(), seeds.end(), text) == seeds.end()) seeds.push_back(text);
    } catch (const RecipeError&) {
      continue;  // the page shows the text as it is
    }
  }
  return joined(seeds);
}

Html header_of(const RunFiles& run) {
  return page_header("Kindred run", run.title(),
                     {{"Last change", time_text(last_time(run))},
                      {"Device", environment_key(run, "device")},
                      {"Precision", environment_key(run, "precision")},
                      {"Seed", seeds_of(run)},
                      {"Folder", run.folder.filename()}});
}

Html share_bar(double share) {
  return element("span", {{"class", "track"}},
                 element("span",
                         {{"class", "share"}, {"style", "width:" + text::fixed_text(100 * share, 1) + "%"}},
                         {})) +
         text::percent_text(share);
}

/// A row of the table of costs; empty cells where nothing is known.
HtmlTable::Row cost_row(const RunStage& stage, std::optional<double> share) {
  Html time;
  Html images;
  Html rate;
  Html memory;
  if (const auto& cost = stage.cost) {
    time = time_taken_text(cost->seconds);
    if (cost->images > 0) {
      images = text::number_text(static_cast<double>(cost->images));
      rate = text::rate_text(cost->images_per_second());
    }
    if (cost->peak_memory_mib > 0) memory = text::fixed_text(cost->peak_memory_mib, 0);
  }
  return {{stage.name, time, share ? share_bar(*share) : Html(), images, rate, memory, stage.type,
           joined(stage.inputs), stage.finished ? "done" : "not finished"},
          false};
}

/// Stages, their states and what they cost.
Section cost_section(const RunFiles& run) {
  Section section{"cost", "Stages and cost", trouble_notice(run.costs_trouble)};
  double total = 0;
  bool unmeasured = false;
  for (const auto& stage : run.stages) {
    if (stage.cost) total += stage.cost->seconds;
    unmeasured = unmeasured || !stage.cost;
  }
  HtmlTable table;
  table.name = "Stages in order";
  table.columns = {{"Stage"},         {"Time"},
                   {"Share of time"}, {"Images"},
                   {"Images/s"},      {"Peak memory, MiB"},
                   {"Type", true},    {"Made from", true},
                   {"State", true}};
  for (const auto& stage : run.stages) {
    const bool shared = total > 0 && !unmeasured;
    table.rows.push_back(cost_row(stage, shared ? std::optional(stage.cost->seconds / total) : std::nullopt));
    section.content += trouble_notice(stage.trouble);
  }
  if (total > 0 && run.stages.size() > 1) {
    table.rows.push_back({{"total", (unmeasured ? "at least " : "") + time_taken_text(total)}, true});
  }
  section.content += draw(table);
  return section;
}

Section warning_section(const RunFiles& run) {
  Section section{"warnings", "Warnings", trouble_notice(run.log_trouble)};
  Html list;
  for (std::size_t i = 0; i < std::min(most_warnings, run.warnings.size()); ++i) {
    list += element("li", run.warnings[i]);
  }
  if (!list.empty()) section.content += element("ul", {{"class", "warnings"}}, list);
  if (run.warnings.size() > most_warnings) {
    section.content +=
        element("p", {{"class", "note"}},
                "and " + std::to_string(run.warnings.size() - most_warnings) + " more in the log.");
  }
  return section;
}

/// What stages leave behind of which this page knows no more.
Section other_section(const RunFiles& run) {
  Section section{"files", "Further results", {}};
  HtmlTable table;
  table.name = "Files of stages";
  table.columns = {{"Stage"}, {"File", true}, {"Size"}};
  for (const auto& stage : run.stages) {
    const auto* other = stage.holds<OtherFiles>();
    if (other == nullptr) continue;
    for (const auto& [name, size] : other->files) {
      table.rows.push_back({{stage.name, name, text::size_text(size)}, false});
    }
  }
  if (!table.rows.empty()) section.content = draw(table);
  return section;
}

Html recipe_text(const Piece<std::string>& recipe, const std::string& title) {
  if (!recipe.value) return trouble_notice(recipe.trouble);
  return folded(title, element("pre", {{"tabindex", "0"}}, element("code", *recipe.value)));
}

Section recipe_section(const RunFiles& run) {
  Section section{"recipe", "Recipe and environment", {}};
  section.content += recipe_text(run.recipe, run.recipe_file.filename());
  for (const auto& stage : run.stages) {
    const auto* training = stage.holds<TrainingFiles>();
    if (training == nullptr) continue;
    const auto prefix = stage.name + ": ";
    section.content += recipe_text(training->recipe, prefix + "recipe.toml");
    section.content += trouble_notice(training->environment.trouble);
    if (!training->environment.value) continue;
    HtmlTable table;
    table.name = prefix + "hardware and software";
    table.columns = {{""}, {"Value", true}};
    for (const auto& [key, value] : training->environment.value->entries()) {
      table.rows.push_back({{key, value}, false});
    }
    section.content += folded(prefix + "environment", draw(table));
  }
  if (section.content.empty()) {
    section.content = element("p", {{"class", "empty"}}, "Recipe and environment are missing.");
  }
  return section;
}

std::string unfinished_text(const RunFiles& run) {
  std::string names;
  for (const auto& stage : run.stages) {
    if (!stage.finished) names += (names.empty() ? "" : ", ") + stage.name;
  }
  return names;
}

}  // namespace

std::string time_taken_text(double seconds) {
  return seconds < 9.95 ? text::fixed_text(seconds, 1) + " s" : progress::duration_text(seconds);
}

Pictures open_pictures(const RunFiles& run, const std::vector<std::string>& data, const Catalog& catalog,
                       std::string& trouble) {
  std::vector<std::string> overrides;
  for (const auto& entry : data) overrides.push_back(recipe::data_override(entry));
  try {
    const auto recipe = recipe::load_recipe(run.recipe_file, overrides);
    // Cameras as the stages of the run had them.
    return Pictures(
        data::open_datasets(recipe::choose_datasets(recipe, catalog), catalog, data::Cameras::of_each));
  } catch (const Error& error) {
    if (!data.empty()) throw;
    trouble = message_of(error, run.recipe_file);
    return {};
  }
}

ReportOutcome write_report(const fs::path& folder, const ReportOptions& options, const Catalog& catalog) {
  const auto run = read_run(folder);
  ReportOutcome outcome;
  std::string data_trouble;
  auto pictures = open_pictures(run, options.data, catalog, data_trouble);
  std::optional<MapPictures> maps;
  if (options.maps) {
    const auto* ranking = last_ranking(run);
    if (ranking == nullptr) {
      throw DataError(folder, "has no rankings yet, so there are no images to draw maps of; omit --maps");
    }
    maps.emplace(model_of(run, *ranking), catalog);
  }
  Page page;
  page.title = run.title();
  page.header = header_of(run);
  page.sections = {score_section(run),
                   part_section(run),
                   cost_section(run),
                   training_section(run),
                   ranking_section(run, options.sheet, pictures, maps ? &*maps : nullptr, outcome.rankings),
                   label_section(run),
                   domain_section(run),
                   other_section(run),
                   warning_section(run),
                   recipe_section(run)};
  const auto unfinished = unfinished_text(run);
  if (!unfinished.empty()) {
    page.notices.push_back(notice(element("strong", "Not finished: ") + unfinished + "."));
  }
  page.notices.push_back(outdated_notice(run.outdated));
  auto missing = missing_images_text(pictures, data_trouble);
  if (!missing.empty()) {
    if (options.data.empty()) {
      missing += " If the data has moved, give its folder: kindred report RUN --data FOLDER";
    }
    page.notices.push_back(notice(element("strong", "Images: ") + missing));
    outcome.notes.push_back(missing);
  }
  const auto text = page_text(page);
  outcome.file = options.out.empty() ? folder / "report.html" : options.out;
  outcome.bytes = text.size();
  outcome.images = pictures.shown();
  file::write_atomically(outcome.file, [&](std::ostream& out) { out << text; });
  return outcome;
}

}  // namespace kindred::report
