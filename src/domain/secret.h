// Secrets that people and programs show to be let in: tokens, sign-in codes, sessions.
#ifndef KELP_DOMAIN_SECRET_H_
#define KELP_DOMAIN_SECRET_H_

#include <string>
#include <string_view>

#include "base/env.h"

namespace kelp::domain {

// SHA-256 as 64 hexadecimal digits. Enough for what we hash: secrets of 128 random bits and more
// cannot be guessed, so no slow hash is needed.
std::string Sha256Hex(std::string_view text);

// "kelp_" and 256 random bits. The prefix lets secret scanners find a leaked one.
std::string NewToken(Random& random);
// 128 random bits: short enough for an address, and it lives for minutes.
std::string NewSignInCode(Random& random);

}  // namespace kelp::domain

#endif  // KELP_DOMAIN_SECRET_H_
