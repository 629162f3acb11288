#include "command/describe.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "pipeline/pipeline.h"
#include "recipe/recipe.h"
#include "recipe/settings.h"
#include "text/text_table.h"

namespace kindred::command {
namespace {

using Kind = recipe::RecipeTable::Kind;

/// One page: a component, a role or a table of the recipe.
struct Page {
  std::string title;
  std::string summary;
  std::string source;
  std::string plugin;
  std::filesystem::path file;
  std::vector<ParameterInfo> parameters;
  std::vector<const ComponentInfo*> components;  ///< of a role
  std::string example;                           ///< TOML
  std::vector<std::string> weights;              ///< programs whose weights a component reads
  std::string takes;                             ///< what a head or a loss is for: "a feature", or ""
};

/// The default, or something of the right type where one must be given; nothing for what is off by default.
std::optional<Value> example_of(const ParameterInfo& parameter) {
  if (parameter.value) return parameter.value;
  if (!parameter.required) return std::nullopt;
  const auto& type = parameter.type;
  if (type == "path") return Value("PATH");
  if (type == "true or false") return Value(true);
  if (type == "whole number") return Value(std::int64_t{1});
  if (type == "number") return Value(1.0);
  if (type == "list of whole numbers") return Value(Array{Value(std::int64_t{1})});
  if (type == "list of numbers") return Value(Array{Value(1.0)});
  if (type == "table of whole numbers") return Value(Table());
  if (type == "table") {  // of a component
    Table component;
    component.set("type", Value("NAME"));
    return Value(std::move(component));
  }
  // Of choices, which are listed as "'first', 'second' or 'third'", the first.
  const auto& allowed = parameter.allowed;
  const bool choices = !allowed.empty() && allowed.front() == '\'';
  Value text(choices ? allowed.substr(1, allowed.find('\'', 1) - 1) : std::string("TEXT"));
  return type == "list of texts" ? Value(Array{std::move(text)}) : text;
}

void set_examples(Table& table, const std::vector<ParameterInfo>& parameters) {
  for (const auto& parameter : parameters) {
    if (auto value = example_of(parameter)) table.set(parameter.name, std::move(*value));
  }
}

/// A recipe that holds this one table.
/// @param key with dots where the table is inside another
std::string recipe_with(const std::string& key, Kind kind, Table table) {
  const bool list = kind == Kind::components || kind == Kind::settings_list;
  Value content = list ? Value(Array{Value(std::move(table))}) : Value(std::move(table));
  for (auto path = key;;) {
    const auto dot = path.rfind('.');
    Table outer;
    outer.set(dot == std::string::npos ? path : path.substr(dot + 1), std::move(content));
    content = Value(std::move(outer));
    if (dot == std::string::npos) return recipe::write_recipe(content);
    path.resize(dot);
  }
}

/// Of both kinds of recipe, and of the command line.
std::vector<recipe::RecipeTable> whole_layout() {
  auto layout = recipe::recipe_layout();
  for (auto& table : pipeline::pipeline_layout()) layout.push_back(std::move(table));
  for (auto& role : option_roles()) layout.push_back(std::move(role));
  return layout;
}

/// Also of a table inside another.
const recipe::RecipeTable* table_of(const std::vector<recipe::RecipeTable>& layout, const std::string& key) {
  for (const auto& table : layout) {
    if (table.key == key) return &table;
    if (const auto* inner = table_of(table.inner, key)) return inner;
  }
  return nullptr;
}

/// What a loss takes together, or the features of a head that not every backbone gives; "" of others.
std::string takes_of(const ComponentInfo& info) {
  if (info.takes_form == FeatureForm::tokens) return "the tokens of a transformer";
  std::string text;
  for (const auto kind : info.takes_outputs) {
    text += (text.empty() ? "" : " and ") + std::string(kind == OutputKind::feature ? "a feature" : "logits");
  }
  return text;
}

Page component_page(const ComponentInfo& info) {
  Page page{info.id(),       info.summary, info.source, info.plugin, info.file,
            info.parameters, {},           "",          {},          takes_of(info)};
  if (info.default_order) page.summary += " Used by recipes that list no [[" + info.role + "]].";
  for (const auto& layout : info.weights_layouts) {
    const bool known = std::find(page.weights.begin(), page.weights.end(), layout.name) != page.weights.end();
    if (!known) page.weights.push_back(layout.name);
  }
  const auto layout = whole_layout();
  const auto* table = table_of(layout, info.role);
  if (table != nullptr && table->kind == Kind::option) return page;
  Table example;
  example.set("type", Value(info.name));
  if (table != nullptr) {
    for (const auto& common : table->parameters) {
      // Which outputs there are is the head's to say.
      if (common.name == "on") example.set("on", Value(Array{Value("OUTPUT")}));
    }
  }
  set_examples(example, info.parameters);
  const auto within = table == nullptr || table->within.empty() ? "" : table->within + ".";
  page.example =
      recipe_with(within + info.role, table == nullptr ? Kind::component : table->kind, std::move(example));
  return page;
}

Page table_page(const recipe::RecipeTable& table, const Catalog& catalog) {
  Page page{table.header(), table.summary, "", "", {}, table.parameters, {}, "", {}, ""};
  for (const auto* factory : catalog.components(table.key)) page.components.push_back(&factory->info());
  if (table.kind == Kind::settings || table.kind == Kind::settings_list) {
    Table example;
    set_examples(example, table.parameters);
    page.example = recipe_with(table.key, table.kind, std::move(example));
  }
  if (table.kind == Kind::variant) {
    const auto dot = table.key.find('.');
    Table example;
    example.set("name", Value("NAME"));
    example.set("type", Value(table.key.substr(dot + 1)));
    set_examples(example, table.parameters);
    page.example = recipe_with(table.key.substr(0, dot), Kind::settings_list, std::move(example));
  }
  return page;
}

/// A recipe as a whole: its keys that are no tables, and its tables.
Page whole_page(const std::string& title, const std::string& summary, const std::vector<ParameterInfo>& keys,
                const std::vector<recipe::RecipeTable>& layout) {
  Page page{title, summary, "", "", {}, keys, {}, "", {}, ""};
  ParameterInfo extends;
  extends.name = "extends";
  extends.type = "text or list of texts";
  extends.doc =
      "recipes that this one changes, relative to this file: tables are merged key by key, the last value "
      "counts, and a list replaces a list";
  page.parameters.insert(page.parameters.begin(), std::move(extends));
  for (const auto& table : layout) {
    ParameterInfo info;
    info.name = table.header();
    info.type = info.name.starts_with("[[") ? "list of tables" : "table";
    info.required = table.required;
    info.doc = table.summary;
    page.parameters.push_back(std::move(info));
  }
  Table example;
  set_examples(example, keys);
  page.example = recipe::write_recipe(Value(std::move(example)));
  return page;
}

Page recipe_page() {
  const auto schema = recipe::RunSettings::schema();
  return whole_page("recipe", schema.summary(), schema.parameters(), recipe::recipe_layout());
}

/// The components of its stages have pages of their own.
Page pipeline_page() {
  auto layout = pipeline::pipeline_layout();
  std::erase_if(layout, [](const recipe::RecipeTable& table) { return table.kind == Kind::component; });
  return whole_page("pipeline", "Keys of a whole pipeline, a recipe with stages.", pipeline::pipeline_keys(),
                    layout);
}

std::string default_text(const ParameterInfo& parameter) {
  if (parameter.required) return "required";
  return parameter.value ? parameter.value->to_toml() : "-";
}

std::string indented(const std::string& text) {
  std::string result;
  bool start = true;
  for (const char c : text) {
    if (start && c != '\n') result += "  ";
    result += c;
    start = c == '\n';
  }
  return result;
}

bool fits(const std::string& text, std::size_t width) {
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    if (end - begin > width) return false;
    begin = end + 1;
  }
  return true;
}

/// "Reads the weights of: torchreid, torchvision"; "" when there are none.
std::string weights_line(const Page& page) {
  std::string text;
  for (const auto& program : page.weights) {
    text += (text.empty() ? "Reads the weights of: " : ", ") + program;
  }
  return text;
}

std::string text_of(const Page& page) {
  constexpr std::size_t width = 108;
  const auto paragraph = [&](const std::string& text) {
    std::string lines;
    for (const auto& line : text::wrapped(text, width)) lines += "  " + line + "\n";
    return lines;
  };
  std::string text = page.title + "\n" + paragraph(page.summary);
  if (!page.source.empty()) text += paragraph("Source: " + page.source);
  if (!page.plugin.empty()) text += paragraph("Plugin: " + page.plugin + " (" + page.file.string() + ")");
  if (!page.takes.empty()) text += paragraph("Takes: " + page.takes);
  if (!page.weights.empty()) text += paragraph(weights_line(page));
  text += "\n";
  if (page.parameters.empty()) {
    text += "It has no parameters.\n";
  } else {
    text::TextTable table;
    table.heads = {"PARAMETER", "TYPE", "DEFAULT", "ALLOWED", "UNIT", "MEANING"};
    table.widths = {30, 16, 22, 22, 12};
    table.indent = 2;
    for (const auto& parameter : page.parameters) {
      table.rows.push_back({parameter.name, parameter.type, default_text(parameter), parameter.allowed,
                            parameter.unit, parameter.doc});
    }
    auto lines = table.str();
    if (!fits(lines, table.line_width)) {
      table.widths = {30, 12, 14, 14, 12};
      lines = table.str();
    }
    text += lines;
  }
  if (!page.components.empty()) {
    text::TextTable table;
    table.heads = {"COMPONENT", "SUMMARY"};
    table.widths = {40};
    table.indent = 2;
    for (const auto* info : page.components) table.rows.push_back({info->id(), info->summary});
    text += "\n" + table.str();
  }
  if (!page.example.empty()) text += "\nIn a recipe, with every default:\n" + indented(page.example);
  return text;
}

std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

std::string markdown_of(const Page& page, const std::string& heading) {
  std::string text = heading + " `" + page.title + "`\n\n" + page.summary + "\n";
  if (!page.source.empty()) text += "\nSource: " + page.source + "\n";
  if (!page.plugin.empty()) text += "\nPlugin: `" + page.plugin + "`\n";
  if (!page.takes.empty()) text += "\nTakes: " + page.takes + "\n";
  if (!page.weights.empty()) text += "\n" + weights_line(page) + "\n";
  if (page.parameters.empty()) {
    text += "\nIt has no parameters.\n";
  } else {
    text +=
        "\n| parameter | type | default | allowed | unit | meaning |\n| --- | --- | --- | --- | --- | --- "
        "|\n";
    for (const auto& parameter : page.parameters) {
      const auto value = parameter.value ? code(parameter.value->to_toml()) : default_text(parameter);
      text += "| " + code(parameter.name) + " | " + parameter.type + " | " + value + " | " +
              cell(parameter.allowed) + " | " + cell(parameter.unit) + " | " + cell(parameter.doc) + " |\n";
    }
  }
  if (!page.example.empty()) text += "\n```toml\n" + page.example + "```\n";
  return text;
}

nlohmann::ordered_json json_of(const Value& value) {
  if (const auto* flag = value.as<bool>()) return *flag;
  if (const auto* whole = value.as<std::int64_t>()) return *whole;
  if (const auto* number = value.as<double>()) return *number;
  if (const auto* text = value.as<std::string>()) return *text;
  if (const auto* list = value.as<Array>()) {
    auto result = nlohmann::ordered_json::array();
    for (const auto& element : *list) result.push_back(json_of(element));
    return result;
  }
  auto result = nlohmann::ordered_json::object();
  for (const auto& entry : value.as<Table>()->entries()) result[entry.key] = json_of(entry.value);
  return result;
}

std::string json_text(const Page& page) {
  nlohmann::ordered_json json;
  json["title"] = page.title;
  json["summary"] = page.summary;
  json["source"] = page.source;
  json["plugin"] = page.plugin;
  json["file"] = page.file.string();
  json["takes"] = page.takes;
  json["weights"] = page.weights;
  json["parameters"] = nlohmann::ordered_json::array();
  for (const auto& parameter : page.parameters) {
    nlohmann::ordered_json item;
    item["name"] = parameter.name;
    item["type"] = parameter.type;
    item["required"] = parameter.required;
    item["default"] = parameter.value ? json_of(*parameter.value) : nlohmann::ordered_json();
    item["allowed"] = parameter.allowed;
    item["unit"] = parameter.unit;
    item["doc"] = parameter.doc;
    json["parameters"].push_back(std::move(item));
  }
  json["components"] = nlohmann::ordered_json::array();
  for (const auto* info : page.components) json["components"].push_back(info->id());
  json["example"] = page.example;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string shown(const Page& page, DescribeFormat format) {
  switch (format) {
    case DescribeFormat::text:
      return text_of(page);
    case DescribeFormat::markdown:
      return markdown_of(page, "#");
    case DescribeFormat::json:
      return json_text(page);
  }
  return "";
}

}  // namespace

std::vector<recipe::RecipeTable> option_roles() {
  return {{"layout",
           Kind::option,
           false,
           "How a data set lies on disk: what `kindred data convert` writes.",
           {},
           {},
           ""},
          {"index",
           Kind::option,
           false,
           "A large gallery's approximate search: what `kindred search --index` builds.",
           {},
           {},
           ""},
          {"exporter",
           Kind::option,
           false,
           "A format of other programs, for a trained model: what `kindred export` writes.",
           {},
           {},
           ""}};
}

std::string describe_component(const ComponentFactory& factory, DescribeFormat format) {
  return shown(component_page(factory.info()), format);
}

const ComponentFactory& find_component(const Catalog& catalog, const std::string& id) {
  const auto slash = id.find('/');
  if (slash != std::string::npos) {
    const auto role = id.substr(0, slash);
    const auto name = id.substr(slash + 1);
    if (const auto* found = catalog.find(role, name)) return *found;
    if (const auto* now = catalog.find_former(role, name)) {
      throw RecipeError(SourceLocation{},
                        "there is no component '" + id + "'; it is called '" + now->info().id() + "' now");
    }
  }
  // A name alone is taken for the component that is meant when there is one of that name.
  std::vector<std::string> ids;
  std::vector<std::string> of_role;
  std::string same_name;
  for (const auto* factory : catalog.components()) {
    const auto& info = factory->info();
    ids.push_back(info.id());
    if (slash != std::string::npos && info.role == id.substr(0, slash)) of_role.push_back(info.id());
    if (info.name == (slash == std::string::npos ? id : id.substr(slash + 1))) same_name = info.id();
  }
  const auto near = !same_name.empty() ? same_name : nearest_name(id, of_role.empty() ? ids : of_role);
  std::string message = "there is no component '" + id + "'; ";
  if (!near.empty()) {
    message += "did you mean '" + near + "'?";
  } else if (!of_role.empty()) {
    message += "choose " + quoted_list(of_role);
  } else {
    message += "write a component as role/name; `kindred list` shows all components";
  }
  throw RecipeError(SourceLocation{}, message);
}

std::string describe(const Catalog& catalog, const std::string& what, DescribeFormat format) {
  if (what == "recipe") return shown(recipe_page(), format);
  if (what == "pipeline") return shown(pipeline_page(), format);
  const auto layout = whole_layout();
  if (const auto* table = table_of(layout, what)) return shown(table_page(*table, catalog), format);
  if (what.find('/') == std::string::npos) {
    std::vector<std::string> tables = {"recipe", "pipeline"};
    for (const auto& table : layout) {
      tables.push_back(table.key);
      for (const auto& inner : table.inner) tables.push_back(inner.key);
    }
    const auto all = catalog.components();
    const bool is_component = std::any_of(all.begin(), all.end(),
                                          [&](const auto* factory) { return factory->info().name == what; });
    const auto near = is_component ? "" : nearest_name(what, tables);
    if (!near.empty())
      throw RecipeError(SourceLocation{}, "there is no table '" + what + "'; did you mean '" + near + "'?");
  }
  return describe_component(find_component(catalog, what), format);
}

std::string describe_catalog_markdown(const Catalog& catalog, const std::string& role) {
  std::string text;
  const auto add_role = [&](const recipe::RecipeTable& table) {
    text += (text.empty() ? "" : "\n") + markdown_of(table_page(table, catalog), "#");
    for (const auto& inner : table.inner) text += "\n" + markdown_of(table_page(inner, catalog), "##");
    for (const auto* factory : catalog.components(table.key)) {
      text += "\n" + markdown_of(component_page(factory->info()), "##");
    }
  };
  const auto layout = whole_layout();
  if (!role.empty()) {
    const auto* table = table_of(layout, role);
    if (table == nullptr) throw RecipeError(SourceLocation{}, "there is no table '" + role + "'");
    add_role(*table);
    return text;
  }
  text = markdown_of(recipe_page(), "#");
  for (const auto& table : layout) add_role(table);
  return text;
}

}  // namespace kindred::command
