#include "results/evaluation_text.h"

#include <doctest/doctest.h>

#include <cmath>

#include "made_evaluation.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("an evaluation is a line of figures for each metric, a line of what was judged, and tables") {
  auto made = made_evaluation(0.43076, 0.55);
  CHECK(evaluation_text(made) ==
        "mAP 43.08 %  Rank-1 55.00 %  Score 49.04 %\n"
        "1 of 2 queries in 4 gallery images (1 distractor, 3 junk ignored), across cameras\n"
        "Same person or not:\n"
        "  FPR UP TO  TPR      DISTANCE BELOW\n"
        "  0.0001     25.00 %  0.125\n"
        "  0.01       50.00 %  inf\n");
  made.tables.clear();
  made.cameras_known = false;
  made.note = "why";
  made.figures[2].metric = "naic";
  CHECK(evaluation_text(made) ==
        "mAP 43.08 %  Rank-1 55.00 %\n"
        "Score 49.04 %\n"
        "1 of 2 queries in 4 gallery images (1 distractor, 3 junk ignored), single-camera mode: why\n");
}

TEST_CASE("values are shown by their kind") {
  CHECK(figure_text(FigureKind::share, 0.123456) == "12.35 %");
  CHECK(figure_text(FigureKind::number, 12.3456) == "12.35");
  CHECK(figure_text(FigureKind::number, 1234567) == "1234567");
  CHECK(figure_text(FigureKind::distance, 0.054761) == "0.05476");
  CHECK(figure_text(FigureKind::share, NAN) == "-");
  CHECK(figure_cell(FigureKind::share, 0.02, /*sign=*/true) == "+2.00");
  CHECK(figure_cell(FigureKind::number, -1.5, /*sign=*/true) == "-1.5");
}
