// Key functions of the roles, so that their type information lives in this library alone.
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kindred/nn/adapts_weights.h"
#include "kindred/nn/network_part.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/exporter.h"
#include "kindred/role/head.h"
#include "kindred/role/index.h"
#include "kindred/role/labeler.h"
#include "kindred/role/layout.h"
#include "kindred/role/loss.h"
#include "kindred/role/metric.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/partitioner.h"
#include "kindred/role/post_processor.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"
#include "kindred/role/writer.h"

namespace kindred {

Augmentation::~Augmentation() = default;
bool Augmentation::at_test_time() const {
  return false;
}
bool Augmentation::ordered() const {
  return false;
}
void Augmentation::start_pass() {}

Backbone::~Backbone() = default;
FeatureForm Backbone::gives() const {
  return FeatureForm::map;
}
SideInformation Backbone::side_information() const {
  return {};
}

Dataset::~Dataset() = default;
Recognition Dataset::recognize() const {
  return Recognition::no;
}

Exporter::~Exporter() = default;

Head::~Head() = default;

Index::~Index() = default;
std::int64_t Index::training_rows() const {
  return 0;
}
void Index::train(const torch::Tensor& /*rows*/) {
  throw std::logic_error("an index that asks for rows to train with does not override train()");
}

Labeler::~Labeler() = default;

Layout::~Layout() = default;
std::string Layout::ending() const {
  return "png";
}
std::string zero_padded(std::int64_t number, std::size_t digits) {
  auto text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

Loss::~Loss() = default;
bool Loss::needs_cameras() const {
  return false;
}
bool Loss::needs_pairs() const {
  return false;
}
std::vector<std::string> Loss::figures() const {
  return {};
}
torch::Tensor Loss::figure_values() const {
  return {};
}
std::unique_ptr<torch::optim::Optimizer> Loss::own_optimizer() {
  return nullptr;
}

Metric::~Metric() = default;
MetricResult Metric::judge(const std::vector<QueryRanks>& /*queries*/) const {
  throw std::logic_error("a metric overrides neither judge() nor count_pairs()");
}
std::unique_ptr<PairCounter> Metric::count_pairs(const PairTotals& /*pairs*/) const {
  return nullptr;
}

OutputLoss::~OutputLoss() = default;
torch::Tensor OutputLoss::compute(const LossBatch& batch) {
  return forward(batch.outputs.at(0), batch.labels);
}

AdaptsWeights::~AdaptsWeights() = default;
NetworkPart::~NetworkPart() = default;
Optimizer::~Optimizer() = default;
PairCounter::~PairCounter() = default;
bool PairCounter::is_divisible() const {
  return false;
}
std::string PairCounter::counted() {
  throw std::logic_error("a counter of pairs is divisible and does not override counted()");
}
void PairCounter::add_counted(const std::string& /*counted*/) {
  throw std::logic_error("a counter of pairs is divisible and does not override add_counted()");
}
PairCounter::Part::~Part() = default;
Partitioner::~Partitioner() = default;
PostProcessor::~PostProcessor() = default;
Sampler::~Sampler() = default;
Schedule::~Schedule() = default;
TensorModule::~TensorModule() = default;
Writer::~Writer() = default;

const char* split_name(Split split) {
  switch (split) {
    case Split::train:
      return "train";
    case Split::query:
      return "query";
    case Split::gallery:
      return "gallery";
  }
  return "";
}

}  // namespace kindred
