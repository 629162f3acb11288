#include "weights/loss_weights.h"

#include <filesystem>
#include <utility>

#include "file/sha256.h"
#include "kindred/core/error.h"
#include "weights/layouts.h"
#include "weights/matching.h"
#include "weights/weights_file.h"

namespace kindred::weights {
namespace {

/// What the component declares, with the term's prefix ahead of its own names.
std::vector<FileLayout> layouts_of(const recipe::LossChoice& choice, const std::string& prefix) {
  std::vector<FileLayout> layouts;
  for (const auto& declared : choice.factory->info().weights_layouts) {
    auto& layout = layouts.emplace_back(FileLayout{declared});
    for (auto& rule : layout.rules) rule.to = prefix + rule.to;
  }
  return layouts;
}

WeightsFile read_of_classes(const recipe::LossChoice& choice, const std::string& classes) {
  auto file = read_loss_weights(choice);
  const auto made_for = file.content.metadata.find(classes_key);
  if (made_for != file.content.metadata.end() && made_for->second != classes) {
    throw DataError(file.file, "belongs to a training with other identities (" + made_for->second +
                                   " there, " + classes +
                                   " here), so that what it holds of an identity is of "
                                   "another person; train both on the same images");
  }
  return file;
}

void start(const recipe::LossChoice& choice, const model::LossTerm& term, const WeightsFile& file,
           std::vector<std::string>& notes) {
  const auto prefix = "loss." + term.name + ".";
  Allowed allowed;
  for (const auto& parameter : term.loss->named_parameters()) {
    if (parameter.value().requires_grad()) allowed.missing.push_back(prefix + parameter.key());
  }
  const auto weights = translate_for(file, layouts_of(choice, prefix), *term.loss, prefix);
  const auto report = match_weights(weights, *term.loss, prefix, allowed);
  if (!report.complete()) {
    throw DataError(file.file, "its tensors (layout: " + report.layout_text() + ") do not match " +
                                   choice.subject() + ":" + trouble_text(report) +
                                   "\n`kindred weights inspect " + file.file.string() +
                                   "` lists its tensors");
  }
  copy_weights(weights, *term.loss, prefix);
  auto note = "weights of " + choice.subject() + " from " + file.file.string() +
              " (layout: " + report.layout_text() + "): " + report.counts_text();
  for (const auto& row : report.rows) {
    if (row.state == TensorState::allowed)
      note += "\n  left unchanged: " + row.name + " (" + row.detail + ")";
    if (row.state == TensorState::adapted) note += "\n  " + row.name + ", adapted: " + row.detail;
  }
  notes.push_back(std::move(note));
}

}  // namespace

WeightsFile read_loss_weights(const recipe::LossChoice& choice) {
  const std::filesystem::path path = *choice.weights_file;
  if (choice.weights_sha256) {
    if (const auto actual = file::sha256_of_file(path); actual != *choice.weights_sha256) {
      throw DataError(path, "is not the file of the recipe: its SHA-256 is " + actual + ", but " +
                                choice.subject() + " expects " + *choice.weights_sha256);
    }
  }
  return read_weights_file(path, choice.weights_key.value_or(""));
}

void start_losses(const recipe::Plan& plan, const std::vector<model::LossTerm>& terms,
                  const std::string& classes, std::vector<std::string>& notes) {
  for (const auto& choice : plan.losses) {
    if (!choice.weights_file) continue;
    const auto file = read_of_classes(choice, classes);
    for (const auto& term : terms) {
      if (term.name.starts_with(choice.name + "(")) start(choice, term, file, notes);
    }
  }
}

}  // namespace kindred::weights
