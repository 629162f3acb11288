// An evaluation made by hand, with every kind of figure, table and column.
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "results/evaluation.h"

namespace kindred::test {

inline results::EvaluatedFigure made_figure(const std::string& name, const std::string& label, double value,
                                            Prominence prominence = Prominence::listed,
                                            FigureKind kind = FigureKind::share) {
  return {{.name = name, .label = label, .doc = "of " + label, .kind = kind, .prominence = prominence},
          value,
          "retrieval"};
}

/// mAP and Rank-1, which are headlines, "score" and a detail; two thresholds, a curve of three points; two
/// queries, of which the second was not judged.
inline results::Evaluation made_evaluation(double mean_ap = 0.5, double rank1 = 0.75) {
  results::Evaluation made;
  made.figures = {made_figure("mAP", "mAP", mean_ap, Prominence::headline),
                  made_figure("rank1", "Rank-1", rank1, Prominence::headline),
                  made_figure("score", "Score", (mean_ap + rank1) / 2),
                  made_figure("AUC", "AUC", 0.9, Prominence::detail, FigureKind::number)};
  made.figures.back().metric = "open_set";
  made.queries = 2;
  made.valid_queries = 1;
  made.gallery = 4;
  made.distractors = 1;
  made.junk = 3;
  made.positive_pairs = 5;
  made.negative_pairs = 6;
  made.cameras_known = true;
  made.cosine = true;
  MetricTable thresholds{"thresholds", "Same person or not", "", {}, std::nullopt};
  thresholds.columns = {{"rate", "FPR up to", FigureKind::number, {0.0001, 0.01}},
                        {"found", "TPR", FigureKind::share, {0.25, 0.5}},
                        {"distance", "distance below", FigureKind::distance, {0.125, INFINITY}}};
  MetricTable curve{
      "roc", "Same person or not", "the <curve>", {}, MetricTable::Plot{"passed", "found", true}};
  curve.columns = {{"distance", "distance", FigureKind::distance, {0.1F, 0.2F, 0.4F}},
                   {"passed", "false positives", FigureKind::share, {0, 0.01, 1}},
                   {"found", "true positives", FigureKind::share, {0.1, 0.5, 1}}};
  made.tables = {thresholds, curve};
  made.per_query.queries = {{"a, b.png", 5, 2, 3}, {"c.png", unlabeled_identity, unknown_camera, 0}};
  made.per_query.columns = {{"ap", "AP", FigureKind::share, {7.0 / 12, NAN}},
                            {"first_rank", "first correct image at rank", FigureKind::number, {2, NAN}}};
  return made;
}

}  // namespace kindred::test
