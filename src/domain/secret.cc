#include "domain/secret.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "base/ids.h"

namespace kelp::domain {

std::string Sha256Hex(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) == 1,
        "SHA-256 failed");
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(size * 2);
  for (unsigned i = 0; i < size; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

std::string NewToken(Random& random) { return "kelp_" + RandomHex(random, 32); }
std::string NewSignInCode(Random& random) { return RandomHex(random, 16); }

}  // namespace kelp::domain
