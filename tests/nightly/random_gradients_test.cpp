// Gradients of 2,000 random graphs.
#include "weft/tests/support/random_gradients.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(RandomGradients, OfTwoThousandGraphs) { ExpectGradientsOfRandomGraphs(0, 2'000); }

}  // namespace
}  // namespace weft
