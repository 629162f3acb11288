#include "ranking/label_quality.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace kindred;
using namespace kindred::ranking;

namespace {

Sample sample(std::int64_t identity, Split split) {
  Sample result;
  result.identity = identity;
  result.split = split;
  return result;
}

}  // namespace

TEST_CASE("pairs and purity of a case counted by hand") {
  // Pseudo identity 0: persons 1, 1, 1, 2. Identity 1: persons 2, 2. Left out: persons 1 and 3.
  const std::vector<std::int64_t> identities = {0, 0, 0, 0, 1, 1, unlabeled_identity, unlabeled_identity};
  const auto quality = judge_labels(identities, {1, 1, 1, 2, 2, 2, 1, 3});
  CHECK(quality.images == 8);
  CHECK(quality.labeled == 6);
  CHECK(quality.persons == 2);
  CHECK(quality.pairs == 6 + 1);
  CHECK(quality.right_pairs == 3 + 1);
  CHECK(quality.true_pairs == 6 + 3);  // four images of person 1, three of 2, one of 3
  CHECK(*quality.precision() == doctest::Approx(4.0 / 7));
  CHECK(*quality.recall() == doctest::Approx(4.0 / 9));
  CHECK(*quality.f1() == doctest::Approx(2 * (4.0 / 7) * (4.0 / 9) / (4.0 / 7 + 4.0 / 9)));
  CHECK(*quality.purity() == doctest::Approx(5.0 / 6));
}

TEST_CASE("images of whom nobody knows the person count nowhere") {
  const auto quality = judge_labels({0, 0, 0, unlabeled_identity}, {1, unknown_person, 1, unknown_person});
  CHECK(quality.images == 2);
  CHECK(quality.pairs == 1);
  CHECK(*quality.precision() == 1);
  CHECK(*quality.recall() == 1);
}

TEST_CASE("there is no share of nothing") {
  const auto single = judge_labels({0, 1}, {1, 2});
  CHECK_FALSE(single.precision().has_value());
  CHECK_FALSE(single.recall().has_value());
  CHECK_FALSE(single.f1().has_value());
  CHECK(*single.purity() == 1);
  CHECK_FALSE(judge_labels({unlabeled_identity}, {unknown_person}).purity().has_value());
}

TEST_CASE("distractors are different persons, and junk and unlabeled images nobody") {
  const auto persons =
      true_persons({sample(5, Split::query), sample(0, Split::gallery), sample(0, Split::gallery),
                    sample(5, Split::gallery), sample(junk_identity, Split::gallery),
                    sample(unlabeled_identity, Split::gallery)});
  CHECK(persons[0] == persons[3]);
  CHECK(persons[1] != persons[2]);
  CHECK(persons[1] != persons[0]);
  CHECK(persons[1] != unknown_person);
  CHECK(persons[4] == unknown_person);
  CHECK(persons[5] == unknown_person);
}

TEST_CASE("identity 0 is a person when a query has it, and when there are no queries") {
  const auto persons =
      true_persons({sample(0, Split::query), sample(0, Split::gallery), sample(0, Split::gallery)});
  CHECK(persons[0] == persons[1]);
  CHECK(persons[1] == persons[2]);
  const auto without =
      true_persons({sample(0, Split::gallery), sample(0, Split::gallery), sample(1, Split::gallery)});
  CHECK(without[0] == without[1]);
  CHECK(without[1] != without[2]);
}
