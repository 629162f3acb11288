#include "training/loss_meter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kindred/core/error.h"
#include "text/number_text.h"

namespace kindred::training {
namespace {

bool is_count(double number) {
  constexpr double most = 9007199254740992;  // up to here a double holds each whole number
  return number >= 0 && number <= most && std::floor(number) == number;
}

}  // namespace

LossMeter::LossMeter(std::vector<std::string> names, std::int64_t interval, bool with_gradient_norm,
                     std::vector<std::string> figures)
    : names_(std::move(names)),
      interval_(interval),
      with_gradient_norm_(with_gradient_norm),
      figures_(std::move(figures)),
      sums_(names_.size() + (with_gradient_norm ? 2 : 1) + figures_.size()),
      counts_(figures_.size()) {}

void LossMeter::add(const torch::Tensor& values, std::int64_t epoch, std::int64_t batch,
                    double learning_rate) {
  pending_.push_back({values.detach(), epoch, batch, learning_rate});
  if (static_cast<std::int64_t>(pending_.size()) >= interval_) flush();
}

void LossMeter::flush() {
  if (pending_.empty()) return;
  std::vector<torch::Tensor> rows;
  for (const auto& step : pending_) rows.push_back(step.values);
  const auto values = torch::stack(rows).to(torch::kCPU, torch::kFloat32).contiguous();
  const auto width = static_cast<std::int64_t>(sums_.size());
  const auto* data = values.data_ptr<float>();
  const auto steps = std::exchange(pending_, {});
  for (std::size_t i = 0; i < steps.size(); ++i)
    look_at(steps[i], data + static_cast<std::int64_t>(i) * width);
}

void LossMeter::look_at(const Step& step, const float* values) {
  std::vector<std::string> bad;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!std::isfinite(values[i])) bad.push_back(names_[i]);
  }
  const auto rate = text::significant_text(step.learning_rate, 4);
  const auto place = "in epoch " + std::to_string(step.epoch) + ", batch " + std::to_string(step.batch + 1);
  if (!bad.empty() || !std::isfinite(values[names_.size()])) {
    const std::string terms = bad.empty() ? "the sum of all terms" : quoted_list(bad);
    throw Error("training: error: the loss is no longer finite " + place + ": " + terms +
                ". Lower the learning rate, which was " + rate +
                ", or warm up longer; check the parameters and weight of that loss, and the images and their "
                "normalization. The last checkpoint is unchanged");
  }
  if (with_gradient_norm_ && !std::isfinite(values[names_.size() + 1])) {
    throw Error("training: error: the gradient is no longer finite " + place +
                " and cannot be clipped, although the loss is finite. Lower the learning rate, which was " +
                rate +
                ", or warm up longer; check the parameters and weights of the losses. The last checkpoint is "
                "unchanged");
  }
  const auto losses = sums_.size() - figures_.size();
  for (std::size_t i = 0; i < losses; ++i) sums_[i] += values[i];
  for (std::size_t i = 0; i < figures_.size(); ++i) {
    if (!std::isfinite(values[losses + i])) continue;
    sums_[losses + i] += values[losses + i];
    ++counts_[i];
  }
  ++steps_;
}

std::map<std::string, double> LossMeter::means() const {
  std::map<std::string, double> means;
  if (steps_ == 0) return means;
  const auto steps = static_cast<double>(steps_);
  means["loss"] = sums_[names_.size()] / steps;
  if (with_gradient_norm_) means["gradient_norm"] = sums_[names_.size() + 1] / steps;
  for (std::size_t i = 0; i < figures_.size(); ++i) {
    if (counts_[i] > 0) means[figures_[i]] = sums_[sums_.size() - figures_.size() + i] / counts_[i];
  }
  if (names_.size() > 1) {
    for (std::size_t i = 0; i < names_.size(); ++i) means["loss/" + names_[i]] = sums_[i] / steps;
  }
  return means;
}

void LossMeter::clear() {
  pending_.clear();
  sums_.assign(sums_.size(), 0);
  counts_.assign(counts_.size(), 0);
  steps_ = 0;
}

torch::Tensor LossMeter::state() const {
  auto state = torch::empty({static_cast<std::int64_t>(sums_.size() + counts_.size()) + 1}, torch::kFloat64);
  auto* data = std::copy(sums_.begin(), sums_.end(), state.data_ptr<double>());
  data = std::copy(counts_.begin(), counts_.end(), data);
  *data = static_cast<double>(steps_);
  return state;
}

bool LossMeter::restore(const torch::Tensor& state) {
  if (state.scalar_type() != torch::kFloat64 || state.dim() != 1 ||
      state.numel() != static_cast<std::int64_t>(sums_.size() + counts_.size()) + 1) {
    return false;
  }
  const auto plain = state.contiguous();
  const auto* data = plain.data_ptr<double>();
  const auto* counts = data + sums_.size();
  const auto* steps = counts + counts_.size();
  if (!std::all_of(data, counts, [](double sum) { return std::isfinite(sum); })) return false;
  if (!is_count(*steps) || !std::all_of(counts, steps, is_count)) return false;
  pending_.clear();
  sums_.assign(data, counts);
  counts_.assign(counts, steps);
  steps_ = static_cast<std::int64_t>(*steps);
  return true;
}

}  // namespace kindred::training
