#include "pipeline/pipeline.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "pipeline/repeat.h"
#include "stage/embed_stage.h"
#include "stage/label_stage.h"
#include "stage/partition_stage.h"
#include "stage/rank_stage.h"
#include "stage/stage_reader.h"
#include "stage/submit_stage.h"
#include "stage/train_stage.h"

namespace kindred::pipeline {
namespace {

/// Keys of every stage, and of the pipeline itself.
struct StageSettings {
  std::string name;
  std::string type;
  bool enabled = true;
  static Schema<StageSettings> schema();
};

struct PipelineSettings {
  std::string name;
  bool keep_training = false;
  static Schema<PipelineSettings> schema() {
    Schema<PipelineSettings> s("A recipe of several stages.");
    s.add("name", &PipelineSettings::name,
          "name of the run directory in runs/; by default the name of the file");
    s.add("keep_training", &PipelineSettings::keep_training,
          "refuse to train a model again that was trained, or partly trained, with another recipe or other "
          "images; false: train it again");
    return s;
  }
};

struct StageType {
  std::string name;
  std::string summary;
  std::vector<ParameterInfo> parameters;
  std::vector<std::string> tables;  ///< keys that hold a recipe, settings of the engine or a component
  std::function<std::unique_ptr<stage::Stage>(stage::StageReader&)> make;
};

template <class Type>
StageType type(std::string name, std::vector<std::string> tables) {
  const auto schema = Type::Settings::schema();
  return {std::move(name), schema.summary(), schema.parameters(), std::move(tables),
          [](stage::StageReader& reader) -> std::unique_ptr<stage::Stage> {
            return std::make_unique<Type>(reader);
          }};
}

const std::vector<StageType>& stage_types() {
  static const std::vector<StageType> types = {
      type<stage::TrainStage>("train", {"recipe", "dataset"}),
      type<stage::EmbedStage>("embed", {"embed", "loader", "dataset", "folds"}),
      type<stage::PartitionStage>("partition", {"partitioner", "dataset"}),
      type<stage::LabelStage>("label", {"labeler"}),
      type<stage::RankStage>("rank", {"recipe"}),
      type<stage::SubmitStage>("submit", {"writer", "dataset"}),
  };
  return types;
}

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const auto& type : stage_types()) names.push_back(type.name);
  return names;
}

/// The keys of stages that name other stages, each once.
std::vector<std::string> reference_keys() {
  std::set<std::string> keys;
  for (const auto& type : stage_types()) {
    for (const auto& parameter : type.parameters) {
      if (parameter.meaning == Meaning::stage) keys.insert(parameter.name);
    }
  }
  return {keys.begin(), keys.end()};
}

bool is_stage_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

Schema<StageSettings> StageSettings::schema() {
  Schema<StageSettings> s("A step of a pipeline, which reads results of other stages and writes its own.");
  s.add("name", &StageSettings::name,
        "name of the stage for other stages, and of its folder in the run directory")
      .like(is_stage_name, "letters, digits, '_' and '-'")
      .required();
  s.add("type", &StageSettings::type, "what the stage does").one_of(type_names()).required();
  s.add("enabled", &StageSettings::enabled, "false: ignore the stage");
  return s;
}

std::string text_of(const Value& table, const std::string& key) {
  const auto* value = table.as<Table>()->find(key);
  const auto* text = value == nullptr ? nullptr : value->as<std::string>();
  return text == nullptr ? "" : *text;
}

ParameterInfo table_parameter(const std::string& key, bool required) {
  static const std::map<std::string, std::string> docs = {
      {"recipe", "a recipe: the name of a file, relative to this one, or a table, which may have 'extends'"},
      {"dataset",
       "data of this stage: a table, or the name of a data set of the pipeline (for training also a list of "
       "either); if not set, the data of the pipeline"},
      {"embed", "overrides of [embed] in the recipe of the model"},
      {"loader", "what differs from the [loader] of the model's own recipe"},
      {"folds", "as [folds] of a recipe: a fold of the training images takes the place of query and gallery"},
      {"partitioner", "the partitioner and its parameters"},
      {"labeler", "the labeler and its parameters"},
      {"writer", "the writer and its parameters"},
  };
  ParameterInfo info;
  info.name = key;
  info.type = key == "recipe" || key == "dataset" ? "text or table" : "table";
  info.required = required;
  info.doc = docs.at(key);
  return info;
}

class PipelineMaker {
 public:
  PipelineMaker(const Value& recipe, const Catalog& catalog) : chooser_(catalog) {
    pipeline_.recipe = recipe;
  }

  Pipeline make() {
    auto& root = *pipeline_.recipe.as<Table>();
    check_keys(root);
    auto& stages = *root.find("stage");
    if (stages.as<Array>() == nullptr) {
      diagnostics_.error(stages.location(),
                         "'stage' must be a list of tables, [[stage]], not " + stages.type_name());
      chooser_.throw_if_any();
    }
    Table own;
    for (const auto* key : {"name", "keep_training"}) {
      if (const auto* value = root.find(key)) own.set(key, *value);
    }
    const auto settings = PipelineSettings::schema().parse(Value(own), "the pipeline", diagnostics_);
    pipeline_.name = settings.name;
    pipeline_.keep_training = settings.keep_training;
    stage::PipelineDefaults defaults;
    if (const auto* dataset = root.find("dataset")) {
      defaults.dataset = *dataset;
      static_cast<void>(recipe::choose_datasets(*dataset, "[dataset]", chooser_));
    }
    if (const auto* machine = root.find("machine")) {
      defaults.machine = *machine;
      pipeline_.machine = recipe::MachineSettings::schema().parse(*machine, "[machine]", diagnostics_);
    }
    check_stages(*stages.as<Array>());
    if (stages.as<Array>()->empty()) {
      diagnostics_.error(stages.location(), "the pipeline has no enabled stage, so there is nothing to do");
    }
    unroll_repeat(pipeline_.recipe, reference_keys(), diagnostics_);
    for (const auto& stage : *root.find("stage")->as<Array>()) {
      written_.insert(text_of(stage, "name"));
      read_stage(stage, defaults);
    }
    for (const auto& stage : pipeline_.stages) check_inputs(*stage);
    chooser_.throw_if_any();
    order();
    chooser_.throw_if_any();
    for (const auto& stage : pipeline_.stages) {
      stage->link([this](const std::string& name) -> const stage::Stage& { return *pipeline_.find(name); });
    }
    return std::move(pipeline_);
  }

 private:
  void check_keys(const Table& root) {
    std::vector<std::string> keys = top_tables_;
    keys.insert(keys.begin(), {"name", "keep_training"});
    for (const auto& entry : root.entries()) {
      if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
      auto known = keys;
      known.emplace_back("extends");  // read before this table, so that it comes here only misspelt
      const auto near = nearest_name(entry.key, known);
      diagnostics_.error(
          entry.key_location,
          "a pipeline has no key '" + entry.key + "'; " +
              (near.empty() ? "it has " + quoted_list(keys) + "; keys of a model belong in [stage.recipe]"
                            : "did you mean '" + near + "'?"));
    }
  }

  /// What every stage has; stages that are not enabled are taken out.
  void check_stages(Array& stages) {
    std::set<std::string> names;
    const auto is_left_out = [&](const Value& stage) {
      if (stage.as<Table>() == nullptr) {
        diagnostics_.error(stage.location(),
                           "an entry of 'stage' must be a table, [[stage]], not " + stage.type_name());
        return true;
      }
      Table common;
      for (const auto& entry : stage.as<Table>()->entries()) {
        if (entry.key == "name" || entry.key == "type" || entry.key == "enabled") {
          common.set(entry.key, entry.value, entry.key_location);
        }
      }
      const auto settings = StageSettings::schema().parse(Value(std::move(common), stage.location()),
                                                          "[[stage]]", diagnostics_);
      if (!settings.enabled) return true;
      if (!settings.name.empty() && !names.insert(settings.name).second) {
        diagnostics_.error(stage.as<Table>()->find("name")->location(),
                           "two stages have the name '" + settings.name + "'; give each its own name");
      }
      return false;
    };
    stages.erase(std::remove_if(stages.begin(), stages.end(), is_left_out), stages.end());
  }

  void read_stage(const Value& stage, const stage::PipelineDefaults& defaults) {
    const auto& types = stage_types();
    const auto name = text_of(stage, "type");
    const auto found =
        std::find_if(types.begin(), types.end(), [&](const StageType& type) { return type.name == name; });
    if (found == types.end()) return;  // told already
    stage::StageReader reader(stage, defaults, chooser_);
    auto made = found->make(reader);
    made->name = reader.name();
    made->location = stage.location();
    made->inputs = reader.inputs();
    pipeline_.stages.push_back(std::move(made));
  }

  void check_inputs(const stage::Stage& stage) {
    std::vector<std::string> names;
    for (const auto& other : pipeline_.stages) names.push_back(other->name);
    for (const auto& input : stage.inputs) {
      for (const auto& name : input.names) {
        const auto* other = pipeline_.find(name);
        const auto subject = "stage '" + stage.name + "': " + input.key + " = '" + name + "'";
        if (other == nullptr && written_.count(name) > 0) continue;  // what is wrong with it is told already
        if (other == nullptr) {
          const auto near = nearest_name(name, names);
          diagnostics_.error(input.location, subject + " is not a stage of this pipeline; " +
                                                 (near.empty() ? "choose " + quoted_list(names)
                                                               : "did you mean '" + near + "'?"));
        } else if (std::find(input.types.begin(), input.types.end(), other->type()) == input.types.end()) {
          std::vector<std::string> fitting;
          for (const auto& one : pipeline_.stages) {
            if (std::find(input.types.begin(), input.types.end(), one->type()) != input.types.end()) {
              fitting.push_back(one->name);
            }
          }
          diagnostics_.error(input.location, subject + " is a stage of type " + other->type() +
                                                 "; it must have type " + input.types.front() +
                                                 (fitting.empty() ? ", and there is none"
                                                                  : ", such as " + quoted_list(fitting)));
        }
      }
    }
  }

  /// Each stage behind those that it reads; else they keep their order.
  void order() {
    std::vector<std::unique_ptr<stage::Stage>> ordered;
    std::set<std::string> done;
    auto& waiting = pipeline_.stages;
    while (!waiting.empty()) {
      const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const auto& stage) {
        return std::all_of(stage->inputs.begin(), stage->inputs.end(), [&](const stage::StageInput& input) {
          return std::all_of(input.names.begin(), input.names.end(),
                             [&](const std::string& name) { return done.count(name) > 0; });
        });
      });
      if (ready == waiting.end()) {
        tell_circle();
        return;
      }
      done.insert((*ready)->name);
      ordered.push_back(std::move(*ready));
      waiting.erase(ready);
    }
    waiting = std::move(ordered);
  }

  /// Of the stages that wait for each other, one circle.
  void tell_circle() {
    std::vector<const stage::Stage*> path{pipeline_.stages.front().get()};
    for (;;) {
      const stage::Stage* next = nullptr;
      for (const auto& input : path.back()->inputs) {
        for (const auto& name : input.names) {
          if (const auto* other = pipeline_.find(name)) next = other;
        }
      }
      const auto seen = std::find(path.begin(), path.end(), next);
      if (seen != path.end()) {
        std::string circle;
        for (auto stage = seen; stage != path.end(); ++stage) circle += (*stage)->name + " reads ";
        diagnostics_.error((*seen)->location,
                           "stages depend on each other in a cycle: " + circle + (*seen)->name);
        return;
      }
      path.push_back(next);
    }
  }

  const std::vector<std::string> top_tables_ = {"dataset", "machine", "stage", "repeat"};
  std::set<std::string> written_;  // names of stages, be they sound or not
  Pipeline pipeline_;
  recipe::ComponentChooser chooser_;
  Diagnostics& diagnostics_ = chooser_.diagnostics;
};

}  // namespace

const stage::Stage* Pipeline::find(const std::string& stage) const {
  for (const auto& candidate : stages) {
    if (candidate && candidate->name == stage) return candidate.get();
  }
  return nullptr;
}

std::vector<std::string> Pipeline::dependents(const std::string& stage) const {
  std::vector<std::string> found{stage};
  for (const auto& candidate : stages) {
    for (const auto& input : candidate->inputs) {
      const bool reads = std::any_of(input.names.begin(), input.names.end(), [&](const std::string& name) {
        return std::find(found.begin(), found.end(), name) != found.end();
      });
      if (!reads) continue;
      found.push_back(candidate->name);
      break;
    }
  }
  return found;
}

bool is_pipeline(const Value& recipe) {
  const auto* table = recipe.as<Table>();
  return table != nullptr && table->find("stage") != nullptr;
}

std::vector<TestRanking> test_rankings(const recipe::DataPlan& plan) {
  if (plan.datasets.size() == 1) return {{"", "features", "ranking"}};
  std::vector<TestRanking> rankings;
  for (const auto& name : plan.evaluate_on) rankings.push_back({name, "features_" + name, "ranking_" + name});
  return rankings;
}

Value pipeline_of_plain_recipe(const Value& recipe, const Catalog& catalog) {
  // For its errors, and for defaults: a stage's own tables are changes of what the model's file says.
  const auto plan = recipe::make_plan(recipe, catalog);
  Table model;
  Table pipeline;
  for (const auto& entry : recipe.as<Table>()->entries()) {
    const bool of_all = entry.key == "name" || entry.key == "dataset" || entry.key == "machine";
    (of_all ? pipeline : model).set(entry.key, entry.value, entry.key_location);
  }
  if (const auto* name = pipeline.find("name")) model.set("name", *name);
  pipeline.set("keep_training", Value(true));

  Table train;
  train.set("name", Value(std::string("model")));
  train.set("type", Value(std::string("train")));
  Table ranking;
  for (const auto& key : recipe::ranking_keys()) {
    if (const auto* value = model.find(key)) ranking.set(key, *value);
  }
  std::vector<Table> evaluation;
  for (const auto& test : test_rankings(plan)) {
    Table embed;
    embed.set("name", Value(test.features));
    embed.set("type", Value(std::string("embed")));
    embed.set("model", Value(std::string("model")));
    embed.set("embed", recipe::EmbedSettings::schema().write(plan.embed));
    embed.set("loader", recipe::LoaderSettings::schema().write(plan.loader));
    if (!test.name.empty()) embed.set("dataset", Value(test.name));
    const auto* dataset = recipe::find_dataset(plan.datasets, test.name);
    const auto* folds = model.find("folds");
    if (folds != nullptr && (dataset == nullptr || dataset->trained_on())) embed.set("folds", *folds);
    Table rank;
    rank.set("name", Value(test.ranking));
    rank.set("type", Value(std::string("rank")));
    rank.set("features", Value(test.features));
    rank.set("recipe", Value(ranking));
    evaluation.push_back(std::move(embed));
    evaluation.push_back(std::move(rank));
  }
  train.set("recipe", Value(std::move(model), recipe.location()));
  Array stages;
  stages.emplace_back(std::move(train), recipe.location());
  for (auto& stage : evaluation) stages.emplace_back(std::move(stage), recipe.location());
  pipeline.set("stage", Value(std::move(stages), recipe.location()));
  return {std::move(pipeline), recipe.location()};
}

Pipeline make_pipeline(const Value& recipe, const Catalog& catalog) {
  return PipelineMaker(recipe, catalog).make();
}

void check_stages(const Pipeline& pipeline, const std::string& only) {
  Diagnostics found;
  std::set<std::string> told;  // stages may have a recipe in common
  std::exception_ptr other;
  for (const auto& stage : pipeline.stages) {
    if (!only.empty() && stage->name != only) continue;
    try {
      stage->check();
    } catch (const RecipeError& error) {
      for (const auto& wrong : error.diagnostics()) {
        if (told.insert(wrong.str()).second) found.error(wrong.location, wrong.message);
      }
    } catch (const Error&) {
      if (!other) other = std::current_exception();
    }
  }
  found.throw_if_any();
  if (other) std::rethrow_exception(other);
}

Pipeline make_any_pipeline(const Value& recipe, const Catalog& catalog) {
  return make_pipeline(is_pipeline(recipe) ? recipe : pipeline_of_plain_recipe(recipe, catalog), catalog);
}

std::vector<ParameterInfo> pipeline_keys() {
  return PipelineSettings::schema().parameters();
}

std::vector<recipe::RecipeTable> pipeline_layout() {
  using Kind = recipe::RecipeTable::Kind;
  const auto common = StageSettings::schema();
  recipe::RecipeTable stage{"stage", Kind::settings_list, true, common.summary(), common.parameters(), {},
                            ""};
  for (const auto& type : stage_types()) {
    recipe::RecipeTable table{
        "stage." + type.name, Kind::variant, false, type.summary, type.parameters, {}, ""};
    for (const auto& key : type.tables) {
      const bool required = key == "partitioner" || key == "labeler" || key == "writer" ||
                            (key == "recipe" && type.name == "train");
      table.parameters.push_back(table_parameter(key, required));
    }
    stage.inner.push_back(std::move(table));
  }
  const auto repeat_schema = RepeatSettings::schema();
  recipe::RecipeTable repeat{
      "repeat", Kind::settings, false, repeat_schema.summary(), repeat_schema.parameters(), {}, ""};
  ParameterInfo feed;
  feed.name = "feed";
  feed.type = "table of texts";
  feed.doc =
      "STAGE = \"REPEATED STAGE\": from the second round on, read the result of the repeated stage in the "
      "previous round instead of that of STAGE";
  repeat.parameters.push_back(std::move(feed));
  const auto component = [](const std::string& role, const std::string& summary) {
    ParameterInfo type;
    type.name = "type";
    type.type = "text";
    type.required = true;
    type.doc = "name of the " + role + "; `kindred list` shows all";
    return recipe::RecipeTable{role, Kind::component, false, summary, {std::move(type)}, {}, "stage"};
  };
  return {std::move(stage), std::move(repeat),
          component("partitioner", "Assigns images to domains, in a stage of type partition."),
          component("labeler", "Assigns pseudo identities to unlabeled images, in a stage of type label."),
          component("writer", "Writes rankings in a submission format, in a stage of type submit.")};
}

}  // namespace kindred::pipeline
