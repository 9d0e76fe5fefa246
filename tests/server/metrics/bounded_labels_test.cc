#include "server/metrics/bounded_labels.h"

#include <gtest/gtest.h>

namespace millrace::server {
namespace {

TEST(BoundedLabels, GivesTheFirstNamesLabelsOfTheirOwn) {
  BoundedLabels labels(2);
  EXPECT_EQ(labels.LabelOf("a"), "a");
  EXPECT_EQ(labels.LabelOf("b"), "b");
  EXPECT_EQ(labels.LabelOf("c"), kOtherLabel);
  EXPECT_EQ(labels.LabelOf("a"), "a");
}

TEST(BoundedLabels, KeepsWhatItDecidedWhenThereIsRoomLater) {
  BoundedLabels labels(1);
  labels.LabelOf("a");
  labels.LabelOf("b");
  labels.Forget("a");
  EXPECT_EQ(labels.LabelOf("b"), kOtherLabel);
  EXPECT_EQ(labels.LabelOf("c"), "c");
  EXPECT_EQ(labels.LabelOf("a"), kOtherLabel);
}

TEST(BoundedLabels, GivesNoneWhereNoneIsAllowed) {
  BoundedLabels labels(0);
  EXPECT_EQ(labels.LabelOf("a"), kOtherLabel);
}

TEST(BoundedLabels, LosesNoPlaceByForgettingWhatHadNone) {
  BoundedLabels labels(1);
  labels.LabelOf("a");
  labels.LabelOf("b");
  labels.Forget("b");
  labels.Forget("never seen");
  EXPECT_EQ(labels.LabelOf("c"), kOtherLabel);
  labels.Forget("a");
  EXPECT_EQ(labels.LabelOf("d"), "d");
  EXPECT_EQ(labels.LabelOf("e"), kOtherLabel);
}

}  // namespace
}  // namespace millrace::server
