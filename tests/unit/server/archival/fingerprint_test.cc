#include "server/archival/fingerprint.h"

#include <string>

#include <gtest/gtest.h>

namespace chimera::server::archival {
namespace {

// As the library that the genuine server uses has them (go-farm, Fingerprint64), of the alphabet
// again and again.
TEST(FingerprintTest, IsThatOfFarmHash) {
  constexpr std::pair<std::size_t, std::uint64_t> kKnown[] = {
      {0, 11160318154034397263u},   {1, 12917804110809363939u},  {3, 2640714258260161385u},
      {4, 1897425971756105985u},    {7, 4341691227789030229u},   {8, 18368443631171807497u},
      {16, 6080716761534418621u},   {17, 11394395984755135400u}, {32, 18417110746069939610u},
      {33, 2004761416539416594u},   {36, 15911152783210136595u}, {64, 11261912070464707578u},
      {65, 2608948203458330154u},   {127, 7796145376145211299u}, {128, 14061449006046005066u},
      {129, 11176984671211548628u}, {192, 7243316733957882487u}, {255, 2841267708316402489u},
      {300, 10612737130197260944u}};
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>('a' + i % 26);

  for (const auto& [size, known] : kKnown)
    EXPECT_EQ(fingerprint64(absl::string_view(text).substr(0, size)), known) << size;
}

}  // namespace
}  // namespace chimera::server::archival
