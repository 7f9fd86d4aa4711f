// Gradients of a hundred random graphs; the nightly test takes 2,000.
#include "weft/tests/support/random_gradients.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(RandomGradients, OfAHundredGraphs) { ExpectGradientsOfRandomGraphs(0, 100); }

}  // namespace
}  // namespace weft
