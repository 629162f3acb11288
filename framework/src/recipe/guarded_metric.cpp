#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/metric.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedPart final : public PairCounter::Part {
 public:
  GuardedPart(std::unique_ptr<PairCounter::Part> inner, const std::string& subject)
      : inner_(std::move(inner)), subject_(subject) {}
  void add(const QueryPairs& query) override {
    guarded(subject_, [&] { inner_->add(query); });
  }
  void finish() override {
    guarded(subject_, [&] { inner_->finish(); });
  }

 private:
  std::unique_ptr<PairCounter::Part> inner_;
  const std::string& subject_;
};

class GuardedCounter final : public PairCounter {
 public:
  GuardedCounter(std::unique_ptr<PairCounter> inner, std::string subject)
      : inner_(std::move(inner)), subject_(std::move(subject)) {}
  [[nodiscard]] std::unique_ptr<Part> part() override {
    auto part = guarded(subject_, [&] { return inner_->part(); });
    if (part == nullptr) throw ComponentFault(subject_, "gave no part of its counter");
    return std::make_unique<GuardedPart>(std::move(part), subject_);
  }
  [[nodiscard]] MetricResult result() override {
    return guarded(subject_, [&] { return inner_->result(); });
  }
  [[nodiscard]] bool is_divisible() const override {
    return guarded(subject_, [&] { return inner_->is_divisible(); });
  }
  [[nodiscard]] std::string counted() override {
    return guarded(subject_, [&] { return inner_->counted(); });
  }
  void add_counted(const std::string& counted) override {
    guarded(subject_, [&] { inner_->add_counted(counted); });
  }

 private:
  std::unique_ptr<PairCounter> inner_;
  std::string subject_;
};

/// What a metric's results look like is checked where they are given names: ranking/made_metric.h.
class GuardedMetric final : public Guard<Metric> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return call([&] { return inner_->figures(); });
  }
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>& queries) const override {
    return call([&] { return inner_->judge(queries); });
  }
  [[nodiscard]] std::unique_ptr<PairCounter> count_pairs(const PairTotals& pairs) const override {
    auto counter = call([&] { return inner_->count_pairs(pairs); });
    if (counter == nullptr) return nullptr;
    return std::make_unique<GuardedCounter>(std::move(counter), subject_);
  }
};

}  // namespace

std::unique_ptr<Metric> guard(std::unique_ptr<Metric> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedMetric>(std::move(inner), info);
}

}  // namespace kindred::recipe
