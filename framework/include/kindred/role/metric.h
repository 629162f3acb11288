// Role "metric": figures that say how good rankings are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// How a value is shown.
enum class FigureKind {
  share,     ///< of 1: in per cent
  number,    ///< as it is
  distance,  ///< as it is, on the scale of the distances that were judged; 32 bits are exact
};

/// Where a figure is shown to people. Files for programs hold every figure.
enum class Prominence {
  headline,  ///< everywhere, also where there is room for few: in the tables of studies
  listed,    ///< wherever figures are listed
  detail,    ///< nowhere: a table of the metric shows it, or it is for programs alone
};

/// What is known of a figure before there is a value.
struct FigureInfo {
  std::string name;   ///< for programs and recipes: "mAP", "rank1"; without '/' and white space
  std::string label;  ///< for people: "Rank-1"
  std::string doc;    ///< one line
  FigureKind kind = FigureKind::share;
  bool higher_is_better = true;
  Prominence prominence = Prominence::listed;
};

/// Values of one meaning.
struct MetricColumn {
  std::string name;   ///< for programs: "true_positive_rate"
  std::string label;  ///< for people: "TPR"
  FigureKind kind = FigureKind::number;
  std::vector<double> values;  ///< NaN: none
};

/// What belongs to the figures and takes several rows. Without a plot a few rows, which files hold beside the
/// figures and people see as a table; with one a curve, which is written as NAME.csv and drawn.
struct MetricTable {
  struct Plot {
    std::string x;  ///< names of columns
    std::string y;
    bool logarithmic_x = false;
  };
  std::string name;                   ///< a word: "thresholds"
  std::string title;                  ///< "Same person or not"
  std::string doc;                    ///< a sentence, or ""
  std::vector<MetricColumn> columns;  ///< of the same length
  std::optional<Plot> plot;
  std::vector<std::string> cautions{};  ///< as MetricResult::cautions, one for each row; or empty
};

struct MetricResult {
  std::vector<double> values;  ///< one for each of Metric::figures(); NaN: there is none
  /// One value for each query that was judged. Where there are any, reports draw how the first column is
  /// spread, and show queries with small values of it as bad ones and with large values as good ones.
  std::vector<MetricColumn> per_query;
  std::vector<MetricTable> tables;
  /// One for each value: why there is too little behind it to rely on it, such as "16 negatives; 100000 are
  /// needed"; "" for one that stands. Empty when all do. Shown beside the value.
  std::vector<std::string> cautions{};
};

/// Where the right images of a query stand.
struct QueryRanks {
  std::vector<std::int64_t> ranks;  ///< from 1, ascending; at least one
  std::int64_t ranked = 0;          ///< gallery images that were ranked for the query
};

/// The pairs of a labeled query and a gallery image.
struct PairTotals {
  std::int64_t images = 0;             ///< of the gallery
  std::span<const std::int32_t> junk;  ///< gallery indices that form no pair, for every query
  std::int64_t positives = 0;          ///< pairs of one person
  std::int64_t negatives = 0;          ///< pairs of two
  bool cosine = false;                 ///< distances are 1 - cosine similarity
};

/// The pairs of one query. A query without a right image has pairs, too.
struct QueryPairs {
  std::span<const float> distances;         ///< to every gallery image; none is NaN
  std::span<const std::int32_t> positives;  ///< gallery indices of the same person, ascending
  std::span<const std::int32_t> ignored;    ///< gallery indices that form no pair, beside the junk
};

/// Sees the distances of all pairs once and keeps what a metric needs of them. The result must not depend on
/// how queries are distributed over parts, nor on their order.
class KINDRED_API PairCounter {
 public:
  /// What one thread counts.
  class KINDRED_API Part {
   public:
    virtual ~Part();
    virtual void add(const QueryPairs& query) = 0;
    /// Adds what was counted to the whole. Once, at the end; from any thread.
    virtual void finish() = 0;
  };

  virtual ~PairCounter();
  /// From any thread.
  [[nodiscard]] virtual std::unique_ptr<Part> part() = 0;
  /// When all parts are finished; MetricResult::per_query stays empty.
  [[nodiscard]] virtual MetricResult result() = 0;

  /// Whether processes that evaluate together may count the pairs of some queries each, for which there are
  /// counted() and add_counted(). If not, as by default, each of them counts all pairs.
  [[nodiscard]] virtual bool is_divisible() const;
  /// What was counted here, for add_counted() of the counter of the same pairs in another process. When all
  /// parts are finished.
  [[nodiscard]] virtual std::string counted();
  /// As if it had been counted here. The order in which it is called does not matter.
  virtual void add_counted(const std::string& counted);
};

/// Which gallery images count for which query is decided before: junk and, where cameras are known, images of
/// the query's own identity and camera are out, distractors are wrong, queries without a right image are not
/// judged. A metric that looks at ranks overrides judge(), one that looks at distances count_pairs().
///
/// A component with a member `static constexpr int default_order` is used by recipes that list no metric;
/// figures stand in the order of these numbers.
class KINDRED_API Metric {
 public:
  using Role = Metric;
  using Handle = std::unique_ptr<Metric>;
  static constexpr std::string_view role_name = "metric";
  struct Context {};

  virtual ~Metric();

  /// In the order in which they are shown, each name once. Depends on the parameters alone.
  [[nodiscard]] virtual std::vector<FigureInfo> figures() const = 0;

  /// @param queries those with a right image, in order; at least one
  [[nodiscard]] virtual MetricResult judge(const std::vector<QueryRanks>& queries) const;

  /// nullptr for a metric of ranks; else the counter's result() is the metric's, and judge() is not called.
  /// @param pairs outlives the counter
  [[nodiscard]] virtual std::unique_ptr<PairCounter> count_pairs(const PairTotals& pairs) const;
};

}  // namespace kindred
