#include "results/evaluation_text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

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

TEST_CASE("a metric without figures says why, once, also where its figures are not listed") {
  auto made = made_evaluation(NAN, 0.55);
  made.tables.clear();
  made.figures[0].caution = "why not";
  made.figures[3].value = NAN;
  made.figures[3].caution = "there are no pairs";
  made.figures.push_back(made.figures[3]);
  CHECK(reasons_without_value(made) ==
        std::vector<std::string>{"retrieval: why not", "open_set: there are no pairs"});
  CHECK(evaluation_text(made) ==
        "mAP - ?  Rank-1 55.00 %  Score -\n"
        "? retrieval: why not\n"
        "? open_set: there are no pairs\n"
        "1 of 2 queries in 4 gallery images (1 distractor, 3 junk ignored), across cameras\n");
}

TEST_CASE("a figure and a row with too little behind them are marked, with the reason") {
  auto made = made_evaluation(0.43076, 0.55);
  made.figures[1].caution = "from 2 queries";
  made.figures[3].caution = "not listed";
  made.tables[0].cautions = {"from 16 negative pairs; 100000 are needed", ""};
  CHECK(evaluation_text(made) ==
        "mAP 43.08 %  Rank-1 55.00 % ?  Score 49.04 %\n"
        "? Rank-1: from 2 queries\n"
        "1 of 2 queries in 4 gallery images (1 distractor, 3 junk ignored), across cameras\n"
        "Same person or not:\n"
        "  FPR UP TO  TPR      DISTANCE BELOW  CAUTION\n"
        "  0.0001     25.00 %  0.125           from 16 negative pairs; 100000 are needed\n"
        "  0.01       50.00 %  inf             -\n");
}
