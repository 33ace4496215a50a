/* The preamble: salt and header, readable before anything is known of the channel.
 *
 * Both sit in the twelve lowest frequencies on a lattice that is the same for every message but for its coarseness, one
 * of a few steps; the receiver tries them in turn.  The 128 bits of the salt lie at public places without any
 * redundancy, for redundancy would be a pattern to see: the sender makes sure that each survives.  The header is sealed and lies at
 * keyed places under a strong code.
 */
#ifndef UT_STAGE_HIDE_PREAMBLE_H
#define UT_STAGE_HIDE_PREAMBLE_H
#include "stage/hide/header.h"

#define UT_PREAMBLE_NFREQ 12
#define UT_PREAMBLE_NTIERS 5
#define UT_SALT_NBITS 128

/* Frequencies the preamble uses, in zigzag order from the first after DC. */
static inline const uint8_t *ut_preamble_order(void) { return ut_zigzag + 1; }
/* Annex K.1 at quality 50, scaled by tier: 8, 16, 28, 48, 80 sixteenths. */
void ut_preamble_lattice(unsigned tier, ut_lattice *l);

/* Places of the salt: drawn from the stream of a public key.  taken: ut_taken_new. */
UT_MUST_CHECK ut_status ut_preamble_salt_carriers(ut_carriers *c, ut_grid g, uint8_t *taken, ut_err *e);
/* Streams under the message's carrier key, by domain. */
enum { UT_DOMAIN_HEADER = 1, UT_DOMAIN_PAYLOAD = 2, UT_DOMAIN_TABLE = 3, UT_DOMAIN_MASK = 4,
       UT_DOMAIN_TABLE_MASK = 5, UT_DOMAIN_SIGNS = 6, UT_DOMAIN_HEADER_MASK = 7, UT_DOMAIN_HEADER_FOLDED = 8,
       UT_DOMAIN_BOX = 9, UT_DOMAIN_DITHER = 10, UT_DOMAIN_BOX_MASK = 11, UT_DOMAIN_SYNC = 12,
       UT_DOMAIN_QUIET = 13, UT_DOMAIN_QUIET_MASK = 14 };
UT_MUST_CHECK ut_status ut_preamble_carriers(ut_carriers *c, ut_grid g, const uint8_t carrier_key[32], uint32_t domain,
                                             size_t nbits, uint8_t *taken, ut_err *e);

/* bits ^= keyed stream, so that coded bits (which have structure) look random in place.  For LLRs: sign flips. */
UT_MUST_CHECK ut_status ut_mask_bits(uint8_t *bits, size_t n, const uint8_t key[32], uint32_t domain, ut_err *e);
UT_MUST_CHECK ut_status ut_mask_llrs(int8_t *llr, size_t n, const uint8_t key[32], uint32_t domain, ut_err *e);
#endif
