#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "arcface.h"
#include "circle.h"
#include "cosface.h"
#include "kindred/core/error.h"
#include "tensor_checks.h"

using namespace kindred;  // NOLINT
using namespace kindred::angular_losses;
using kindred::test::labels_of;

namespace {

using Rows = std::vector<std::vector<double>>;

Rows rows_of(const torch::Tensor& tensor) {
  const auto plain = tensor.detach().to(torch::kFloat64).contiguous();
  Rows rows;
  for (std::int64_t i = 0; i < plain.size(0); ++i) {
    const auto* begin = plain[i].data_ptr<double>();
    rows.emplace_back(begin, begin + plain.size(1));
  }
  return rows;
}

torch::Tensor tensor_of(const Rows& rows) {
  auto tensor = torch::empty(
      {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows[0].size())}, torch::kFloat32);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows[i].size(); ++j) {
      tensor[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)] = rows[i][j];
    }
  }
  return tensor;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  double product = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return std::clamp(product / std::sqrt(aa * bb), -1.0, 1.0);
}

// Cross entropy of own(c) and other(c), where c are the cosines, by the definitions and in double precision.
using Logit = std::function<double(double)>;
double softmax_loss(const Rows& vectors, const Rows& weights, const std::vector<std::int64_t>& labels,
                    const std::function<Logit(std::size_t n, std::size_t k)>& logit) {
  double sum = 0;
  for (std::size_t n = 0; n < vectors.size(); ++n) {
    std::vector<double> values;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      values.push_back(logit(n, k)(cosine(vectors[n], weights[k])));
    }
    const double highest = *std::max_element(values.begin(), values.end());
    double normalizer = 0;
    for (const double value : values) normalizer += std::exp(value - highest);
    sum += std::log(normalizer) + highest - values[static_cast<std::size_t>(labels[n])];
  }
  return sum / static_cast<double>(vectors.size());
}

bool is_own(const std::vector<std::int64_t>& labels, std::size_t n, std::size_t k) {
  return static_cast<std::size_t>(labels[n]) == k;
}

double arcface(const Rows& vectors, const Rows& weights, const std::vector<std::int64_t>& labels,
               const Arcface::Params& p) {
  return softmax_loss(vectors, weights, labels, [&](std::size_t n, std::size_t k) -> Logit {
    if (!is_own(labels, n, k)) return [&](double c) { return p.scale * c; };
    return [&](double c) {
      const double theta = std::acos(c);
      const bool beyond = theta + p.margin > std::numbers::pi;
      return p.scale * (beyond ? c - p.margin * std::sin(p.margin) : std::cos(theta + p.margin));
    };
  });
}

double cosface(const Rows& vectors, const Rows& weights, const std::vector<std::int64_t>& labels,
               const Cosface::Params& p) {
  return softmax_loss(vectors, weights, labels, [&](std::size_t n, std::size_t k) -> Logit {
    return [&, own = is_own(labels, n, k)](double c) { return p.scale * (own ? c - p.margin : c); };
  });
}

// The weights alpha are taken at `fixed`, since they are constants for the gradient.
double circle_softmax(const Rows& vectors, const Rows& weights, const std::vector<std::int64_t>& labels,
                      const CircleParams& p, const Rows& fixed) {
  return softmax_loss(vectors, weights, labels, [&](std::size_t n, std::size_t k) -> Logit {
    const double at = cosine(fixed[n], weights[k]);
    if (is_own(labels, n, k)) {
      return [&, at](double c) { return p.scale * std::max(0.0, 1 + p.margin - at) * (c - (1 - p.margin)); };
    }
    return [&, at](double c) { return p.scale * std::max(0.0, at + p.margin) * (c - p.margin); };
  });
}

double circle(const Rows& vectors, const std::vector<std::int64_t>& labels, const CircleParams& p,
              const Rows& fixed) {
  double sum = 0;
  int anchors = 0;
  for (std::size_t a = 0; a < vectors.size(); ++a) {
    double positives = 0;
    double negatives = 0;
    for (std::size_t b = 0; b < vectors.size(); ++b) {
      if (a == b) continue;
      const double at = cosine(fixed[a], fixed[b]);
      const double c = cosine(vectors[a], vectors[b]);
      if (labels[a] == labels[b]) {
        positives += std::exp(-p.scale * std::max(0.0, 1 + p.margin - at) * (c - (1 - p.margin)));
      } else {
        negatives += std::exp(p.scale * std::max(0.0, at + p.margin) * (c - p.margin));
      }
    }
    if (positives == 0 || negatives == 0) continue;
    ++anchors;
    sum += std::log1p(positives * negatives);
  }
  return anchors == 0 ? 0 : sum / anchors;
}

// Compares the gradient for the vectors with finite differences of a function of them.
void check_gradient(const torch::Tensor& gradient, const Rows& at,
                    const std::function<double(const Rows&)>& function) {
  const auto got = rows_of(gradient);
  double largest = 0;
  double worst = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    for (std::size_t j = 0; j < at[i].size(); ++j) {
      const double step = 1e-6;
      auto plus = at;
      auto minus = at;
      plus[i][j] += step;
      minus[i][j] -= step;
      const double slope = (function(plus) - function(minus)) / (2 * step);
      largest = std::max(largest, std::abs(slope));
      worst = std::max(worst, std::abs(slope - got[i][j]));
    }
  }
  CHECK(largest > 1e-3);
  CHECK(worst < 1e-3 * largest);
}

// A softmax loss with class weights that are known.
template <class Softmax>
class Case {
 public:
  Case(const typename Softmax::Params& params, const Rows& vectors, const Rows& weights,
       const std::vector<std::int64_t>& labels)
      : loss_(params,
              {static_cast<std::int64_t>(vectors[0].size()), static_cast<std::int64_t>(weights.size())}),
        vectors_(tensor_of(vectors).requires_grad_()) {
    {
      const torch::NoGradGuard no_grad;
      loss_.named_parameters()["weight"].copy_(tensor_of(weights));
    }
    value_ = loss_.forward(vectors_, labels_of(labels));
    value_.backward();
  }
  [[nodiscard]] double value() const { return value_.template item<double>(); }
  [[nodiscard]] torch::Tensor gradient() const { return vectors_.grad(); }
  [[nodiscard]] torch::Tensor weight_gradient() { return loss_.named_parameters()["weight"].grad(); }

 private:
  Softmax loss_;
  torch::Tensor vectors_;
  torch::Tensor value_;
};

Rows random_rows(std::int64_t rows, std::int64_t dim) {
  return rows_of(torch::randn({rows, dim}));
}

const std::vector<std::int64_t> six_labels = {0, 3, 1, 1, 2, 0};

}  // namespace

TEST_CASE("ArcFace is that of the definition, with its gradients for vectors and class weights") {
  torch::manual_seed(3);
  for (const auto& params :
       {Arcface::Params{}, Arcface::Params{8, 0.5}, Arcface::Params{16, 1.2}, Arcface::Params{16, 0}}) {
    CAPTURE(params.scale);
    CAPTURE(params.margin);
    const auto vectors = random_rows(6, 5);
    const auto weights = random_rows(4, 5);
    Case<Arcface> c(params, vectors, weights, six_labels);
    CHECK(c.value() == doctest::Approx(arcface(vectors, weights, six_labels, params)).epsilon(1e-4));
    check_gradient(c.gradient(), vectors,
                   [&](const Rows& at) { return arcface(at, weights, six_labels, params); });
    check_gradient(c.weight_gradient(), weights,
                   [&](const Rows& at) { return arcface(vectors, at, six_labels, params); });
  }
}

TEST_CASE("ArcFace falls back to the cosine less m sin(m) where the angle would pass pi") {
  // Angles of 2.5, 2.64 and 3 to the own class weight; pi - 0.5 is 2.6416.
  const auto at_angle = [](double angle) { return std::vector<double>{std::cos(angle), std::sin(angle)}; };
  const Rows weights = {{1, 0}, {0, 1}};
  for (const double angle : {2.5, 2.64, 2.643, 3.0}) {
    CAPTURE(angle);
    const Rows vectors = {at_angle(angle)};
    const double own =
        angle + 0.5 <= std::numbers::pi ? std::cos(angle + 0.5) : std::cos(angle) - 0.5 * std::sin(0.5);
    const double expected = std::log1p(std::exp(4 * (std::sin(angle) - own)));
    Case<Arcface> c({4, 0.5}, vectors, weights, {0});
    CHECK(c.value() == doctest::Approx(expected).epsilon(1e-5));
  }
}

TEST_CASE("CosFace is that of the definition, with its gradients for vectors and class weights") {
  torch::manual_seed(4);
  for (const auto& params : {Cosface::Params{}, Cosface::Params{10, 0.2}}) {
    CAPTURE(params.scale);
    const auto vectors = random_rows(6, 5);
    const auto weights = random_rows(4, 5);
    Case<Cosface> c(params, vectors, weights, six_labels);
    CHECK(c.value() == doctest::Approx(cosface(vectors, weights, six_labels, params)).epsilon(1e-4));
    check_gradient(c.gradient(), vectors,
                   [&](const Rows& at) { return cosface(at, weights, six_labels, params); });
    check_gradient(c.weight_gradient(), weights,
                   [&](const Rows& at) { return cosface(vectors, at, six_labels, params); });
  }
}

TEST_CASE("circle loss with classes is that of the definition, its weights constant for the gradient") {
  torch::manual_seed(5);
  for (const auto& params : {CircleParams{}, CircleParams{16, 0.4}}) {
    CAPTURE(params.scale);
    const auto vectors = random_rows(6, 5);
    const auto weights = random_rows(4, 5);
    Case<CircleSoftmax> c(params, vectors, weights, six_labels);
    CHECK(c.value() ==
          doctest::Approx(circle_softmax(vectors, weights, six_labels, params, vectors)).epsilon(1e-4));
    check_gradient(c.gradient(), vectors,
                   [&](const Rows& at) { return circle_softmax(at, weights, six_labels, params, vectors); });
  }
}

TEST_CASE("circle loss with pairs is that of the definition, its weights constant for the gradient") {
  torch::manual_seed(6);
  // Identity 3 is alone: an anchor without a positive, but a negative of the others.
  for (const auto& params : {CircleParams{}, CircleParams{16, 0.4}}) {
    CAPTURE(params.scale);
    const auto vectors = random_rows(6, 4);
    Circle loss(params, {4, 4});
    auto leaf = tensor_of(vectors).requires_grad_();
    const auto value = loss.forward(leaf, labels_of(six_labels));
    value.backward();
    CHECK(value.item<double>() ==
          doctest::Approx(circle(vectors, six_labels, params, vectors)).epsilon(1e-4));
    check_gradient(leaf.grad(), vectors,
                   [&](const Rows& at) { return circle(at, six_labels, params, vectors); });
  }
}

TEST_CASE("circle loss of two pairs is worked out by hand") {
  // Anchors along the axes: positives have cosine 1, negatives 0.
  Circle loss({}, {2, 2});
  const auto value =
      loss.forward(torch::tensor({{1.0, 0.0}, {5.0, 0.0}, {0.0, 2.0}, {0.0, 1.0}}), labels_of({0, 0, 1, 1}));
  // Two negatives: exp(256 x 0.25 x -0.25) each; one positive: exp(-256 x 0.25 x 0.25).
  CHECK(value.item<double>() == doctest::Approx(2 * std::exp(-32.0)).epsilon(1e-4));
}

TEST_CASE("the figures are the means of the cosines to the hardest images, over the anchors that have both") {
  Circle loss({}, {2, 3});
  CHECK(loss.needs_pairs());
  CHECK(loss.figures() == std::vector<std::string>{"s_p", "s_n"});
  // At 0, 30 and 90 degrees of one person, at 60 of another, who has no second image.
  auto vectors = torch::empty({4, 2});
  const std::vector<double> degrees{0, 30, 90, 60};
  for (std::size_t i = 0; i < degrees.size(); ++i) {
    const double angle = degrees[i] * std::numbers::pi / 180;
    vectors[static_cast<std::int64_t>(i)][0] = 3 * std::cos(angle);
    vectors[static_cast<std::int64_t>(i)][1] = 3 * std::sin(angle);
  }
  static_cast<void>(loss.forward(vectors.requires_grad_(), labels_of({0, 0, 0, 1})));
  const auto values = loss.figure_values();
  CHECK_FALSE(values.requires_grad());
  // The farthest positives are 90, 60 and 90 degrees away, the negative 60, 30 and 30.
  CHECK(values[0].item<double>() == doctest::Approx(0.5 / 3).epsilon(1e-5));
  CHECK(values[1].item<double>() == doctest::Approx((0.5 + std::sqrt(3.0)) / 3).epsilon(1e-5));
  static_cast<void>(loss.forward(torch::randn({2, 2}), labels_of({0, 1})));
  CHECK(std::isnan(loss.figure_values()[0].item<double>()));
  CHECK(std::isnan(loss.figure_values()[1].item<double>()));
}

TEST_CASE("circle loss without pairs of both kinds is 0 with gradient 0") {
  torch::manual_seed(7);
  Circle loss({}, {4, 4});
  for (const auto& labels : {std::vector<std::int64_t>{0, 1, 2}, std::vector<std::int64_t>{1, 1, 1}}) {
    auto leaf = torch::randn({3, 4}).requires_grad_();
    const auto value = loss.forward(leaf, labels_of(labels));
    value.backward();
    CHECK(value.item<double>() == 0);
    CHECK(leaf.grad().eq(0).all().item<bool>());
  }
}

TEST_CASE("equal and opposite vectors and zeros give finite circle losses and gradients") {
  Circle loss({}, {4, 2});
  const auto line = torch::tensor({{1.0, 2.0, 3.0, 4.0}});
  for (const auto& vectors :
       {line.repeat({4, 1}), torch::cat({line, -line, -line, line}), torch::zeros({4, 4})}) {
    auto leaf = vectors.clone().requires_grad_();
    const auto value = loss.forward(leaf, labels_of({0, 0, 1, 1}));
    value.backward();
    CHECK(value.isfinite().item<bool>());
    CHECK(value.item<double>() > 0);
    CHECK(leaf.grad().isfinite().all().item<bool>());
  }
}

TEST_CASE_TEMPLATE("vectors on, beside and opposite to class weights, and zeros, give finite gradients",
                   Softmax, Arcface, Cosface, CircleSoftmax) {
  const Rows weights = {{3, 1, 2, 0.5}, {-1, 2, 0.3, 4}, {2, 2, -1, 1}};
  const auto times = [](std::vector<double> row, double factor) {
    for (auto& x : row) x *= factor;
    return row;
  };
  auto beside = weights[0];
  beside[0] += 1e-4;
  const Rows vectors = {
      weights[0],  times(weights[0], 7.3), times(weights[1], -1e-3), times(weights[1], 1e6), beside,
      {0, 0, 0, 0}};
  Case<Softmax> c({}, vectors, weights, {0, 0, 1, 1, 0, 2});
  CHECK(std::isfinite(c.value()));
  CHECK(c.gradient().isfinite().all().template item<bool>());
  CHECK(c.weight_gradient().isfinite().all().template item<bool>());
  // The true slope of a logit is at most the scale over the length of the vector.
  CHECK(c.gradient()[4].norm().template item<double>() < 100);
}

TEST_CASE_TEMPLATE("a single identity has nothing to learn", Softmax, Arcface, Cosface, CircleSoftmax) {
  Case<Softmax> c({}, {{1, 2}, {-3, 1}}, {{1, 1}}, {0, 0});
  CHECK(c.value() == 0);
  CHECK(c.gradient().eq(0).all().template item<bool>());
}

TEST_CASE_TEMPLATE("vectors that are not a number are not hidden", Any, Arcface, Cosface, CircleSoftmax,
                   Circle) {
  Any loss({}, {3, 2});
  auto vectors = torch::randn({4, 3});
  vectors[1][2] = std::numeric_limits<float>::quiet_NaN();
  CHECK(loss.forward(vectors, labels_of({0, 0, 1, 1})).isnan().template item<bool>());
}

TEST_CASE_TEMPLATE("class weights join the model's optimizer", Softmax, Arcface, Cosface, CircleSoftmax) {
  Softmax loss({}, {6, 9});
  CHECK((loss.takes() == std::vector{OutputKind::feature}));
  CHECK(loss.own_optimizer() == nullptr);
  REQUIRE(loss.named_parameters().size() == 1);
  CHECK(loss.named_parameters()["weight"].sizes().vec() == std::vector<std::int64_t>{9, 6});
}

TEST_CASE("circle loss with pairs works on features and has nothing to train") {
  Circle loss({}, {6, 9});
  CHECK((loss.takes() == std::vector{OutputKind::feature}));
  CHECK(loss.own_optimizer() == nullptr);
  CHECK(loss.parameters().empty());
}

TEST_CASE("margins that turn the loss round are refused") {
  Table table;
  table.set("margin", Value(2.0));
  const auto message = [&](const auto& schema, const std::string& subject) -> std::string {
    Diagnostics diagnostics;
    (void)schema.parse(Value(table), subject, diagnostics);
    return diagnostics.all().size() == 1 ? diagnostics.all()[0].message : "";
  };
  CHECK(message(Arcface::schema(), "loss 'arcface'") == "loss 'arcface': margin = 2.0 is outside [0, 1.5]");
  CHECK(message(Cosface::schema(), "loss 'cosface'") == "loss 'cosface': margin = 2.0 is outside [0, 1]");
  CHECK(message(Circle::schema(), "loss 'circle'") == "loss 'circle': margin = 2.0 is outside [0, 1]");
  CHECK(message(CircleSoftmax::schema(), "loss 'circle_softmax'") ==
        "loss 'circle_softmax': margin = 2.0 is outside [0, 1]");
}
